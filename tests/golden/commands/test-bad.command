lsmctl test bad.test.json
