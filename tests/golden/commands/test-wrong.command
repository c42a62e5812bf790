lsmctl test wrong.test.json
