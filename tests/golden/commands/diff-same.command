lsmctl diff web.json web-split.json
