lsmctl diff --json web.json web-open.json
