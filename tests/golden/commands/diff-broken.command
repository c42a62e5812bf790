lsmctl diff web.json ../meaning/brace.json
