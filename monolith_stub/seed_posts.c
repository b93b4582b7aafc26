#include "monolith_stub/seed.h"

const struct seed_post seed_posts[] = {
    {1, 1,
     "Hello all! My oldest line still in production is a comment that says \"temporary\". It has "
     "outlasted three logos and two chief executives."},
    {1, 4, "Mine is a shell loop. It predates the building."},
    {1, 9,
     "I don't have old code, but I have a saved reply from the year we opened. It still works."},
    {2, 12,
     "I have one program that does everything and I am allowed to take out one thing this quarter. "
     "What did you take first, and would you take it again?"},
    {1, 12, "Hi, I'm Jun. My oldest line is whichever one I'm afraid of today."},
    {2, 1,
     "User profiles. Read often, written rarely, and everyone understands what they are. Start "
     "with "
     "the thing you can explain to sales."},
    {2, 6,
     "Agreed: cut where the arrows are few. Count the joins that cross the line before you draw "
     "it."},
    {2, 2, "We took search first. It looked like a leaf. It was a root. Would not take it again."},
    {3, 6,
     "Found one today: `enable_new_checkout`, default true, checked in 41 places, and the old "
     "checkout was deleted two years ago."},
    {3, 2, "Was the else branch at least tested?"},
    {3, 6, "The else branch calls a function that no longer exists. So: tested by the linker."},
    {4, 4,
     "Our \"nightly\" report runs at 12:00 because in some earlier life the server lived in "
     "another "
     "time zone. Now people plan their lunch around it. I cannot move it."},
    {4, 5, "Every company has a lunch that is load-bearing."},
    {4, 10, "I documented it as \"by design\". In a sense it is."},
    {2, 8,
     "Whatever you take: put numbers on the old path first. Without a before there is no after, "
     "only "
     "opinions."},
    {5, 11,
     "User posts a comment, app reloads the list, comment is gone. Two seconds later it is back. "
     "Everybody blames the app. The app is me. Help?"},
    {5, 3,
     "You write to one store and read from its copy. Either read from where you wrote for a short "
     "while, or have the answer to the write carry what you need to draw the list."},
    {5, 11, "\"For a short while\" being how long?"},
    {5, 3, "Longer than your replication lag on a bad day. Measure the bad day, then double it."},
    {5, 5, "Please say it louder for the people who measured it on a Sunday."},
    {6, 8,
     "A reminder: with a hundred requests a page, p99 is not one user in a hundred. It's more than "
     "half of all page views: 1 - 0.99^100 = 63%."},
    {6, 2,
     "I have printed this and hung it over the coffee machine. It was slow this morning, too."},
    {6, 5, "Also: the average of two p99s is not a p99. It isn't anything."},
    {6, 8, "Merge the histograms, or be quiet. Kindly meant."},
    {1, 7, "Mine is `<marquee>`. No, I will not say where."},
    {7, 2,
     "We send a copy of each read to the new service and compare both answers before anyone sees "
     "the new one. Found: two wrong sort orders, one missing field and a bug in the OLD system."},
    {7, 8, "What do you do about timestamps, random ids and all that noise?"},
    {7, 2,
     "Ask the old system twice. Whatever differs between its own two answers isn't worth an "
     "alarm."},
    {7, 3, "And writes? You don't copy those, I hope."},
    {7, 2, "Never without a sandbox. We learned it from somebody who sent every invoice twice."},
    {7, 9, "So THAT was you."},
    {8, 7,
     "Unpopular opinion: a <form> with a <button> is still the best interactive component ever "
     "shipped. It retries, it works in tunnels & trains, and my grandmother's tablet loves it."},
    {8, 11, "It even works when I break the build. I respect that."},
    {8, 6, "POST, redirect, GET. The three-step waltz."},
    {8, 7, "Say \"it's not an app, it's a document with ambitions\" and the room goes quiet."},
    {9, 5,
     "Last night somebody who had never seen the system before rolled back a release with our "
     "runbook. Four steps, all commands copy-and-paste, each says what you should see. I cried a "
     "little."},
    {9, 10, "As the author of step three: I'm framing this post."},
    {9, 1, "What did you leave out? That is always the interesting part."},
    {9, 5,
     "All the history. At 3 a.m. nobody wants to know why, only what, and how to tell that it "
     "worked."},
    {3, 9, "Customers ask me about flags by name now. \"Have you tried turning on the new one?\""},
    {10, 12,
     "My fern came with the job. It is doing better than the code. What grows on your desk?"},
    {10, 4, "Cables."},
    {10, 3, "A strangler fig, would you believe. In a very small pot. It has plans for the lamp."},
    {10, 7, "Mint, so that every stand-up smells like a cocktail bar."},
    {10, 9, "A cactus named Ticket. It never closes."},
    {4, 12,
     "We have one called `daily.sh` which runs hourly. There's a `daily2.sh`. It runs never."},
    {4, 4, "Never touch daily2.sh. It is holding up the ceiling."},
    {2, 5,
     "Take out something you can put back. The first cut is for learning how to switch back in one "
     "minute, not for the architecture."},
    {2, 12, "Thanks, everyone! Profiles it is, with a way back and numbers. I'll report."},
    {5, 8,
     "Ask also what happens to the user who has two tabs open. There is always one. It's me."},
    {6, 11,
     "On a phone your p99 is an elevator. Offline for eleven seconds, then everything at once: "
     "retry storms, tiny ones, all over town."},
    {8, 10,
     "Docs note: the sentence \"works without JavaScript\" has the fewest bug reports of all my "
     "pages."},
    {9, 12,
     "Stealing \"each step says what you should see\". Our runbook says: \"Restart it (you know "
     "how).\""},
    {9, 4, "I do know how. That is the problem: nobody else does."},
    {7, 6,
     "Small wish: count how often you compared, too. \"No differences\" in zero comparisons is "
     "very calm."},
    {3, 3,
     "We give each flag a date when it starts to shout. Naïve, but the shouting works: 🔔 in every "
     "log line."},
    {10, 2,
     "Three tomatoes: `dev`, `staging` & `prod`. Guess which one fell off the sill on a Friday."},
    {10, 5, "Rollback of the tomato took 90 days."},
    {6, 3,
     "Today I learned that \"it's slow\" and \"it's slow for Quentin\" are different "
     "incidents.\n\nQuentin has 41,000 bookmarks."},
    {1, 3,
     "Hello from the coast. Mine is an index named `tmp_idx_final_2`. Dropping it takes down "
     "billing."},
    {2, 11,
     "Report, please! And tell us what you named the service. Naming it took us longer than "
     "writing it."},
    {8, 2,
     "2 + 2 < 5 && \"quotes\" && 'more quotes' \\ a backslash: just checking that this forum "
     "escapes what I type."},
};

const size_t seed_post_count = sizeof(seed_posts) / sizeof(seed_posts[0]);
