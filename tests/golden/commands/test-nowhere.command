lsmctl test --policies web.json wrong.test.json nowhere.test.json
