"""routes/README.md names every key and every code of a fault."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
readme = (root / "routes/README.md").read_text()
sources = "".join(path.read_text() for path in sorted((root / "proxy/config").glob("*.c")))
tables = (root / "proxy/config/settings_keys.c").read_text()

keys = set(re.findall(r'\{"(\w+)", read_', tables))
codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', sources)) | {"syntax"}
codes -= {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id"}
named = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", readme[readme.index("## Codes"):]))

assert len(keys) > 80 and len(codes) > 40, "the tables were not found"
missing = [f"key {key}" for key in sorted(keys) if not re.search(rf"\b{key}\b", readme)]
missing += [f"code {code}" for code in sorted(codes) if code not in named]
print("\n".join(missing) if missing else "complete")
sys.exit(bool(missing))
