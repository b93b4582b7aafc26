-- Eight requests at a time on each connection, without a wait; their answers have to come in the same
-- order. Says at the end what was wrong and how many came.
local paths = {"/api/users/1", "/api/threads/2", "/api", "/nothing/here", "/api/users/2",
               "/api/posts/by-user/99999", "/api/threads/1", "/api/users/99999"}
local bodies = {}
local threads = {}
came, wrong = 0, 0

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   local texts = {}
   for i, path in ipairs(paths) do
      texts[i] = wrk.format("GET", path)
   end
   batch = table.concat(texts)
end

function request()
   return batch
end

-- Only right with one connection a thread, which is what the order is known of.
function response(status, headers, body)
   local place = came % #paths + 1
   came = came + 1
   bodies[place] = bodies[place] or status .. body
   if bodies[place] ~= status .. body then
      wrong = wrong + 1
   end
end

function done(summary, latency, requests)
   local all, faults = 0, 0
   for _, thread in ipairs(threads) do
      all = all + thread:get("came")
      faults = faults + thread:get("wrong")
   end
   print("came " .. all .. " wrong " .. faults)
end
