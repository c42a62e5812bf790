lsmctl test web.test.json
