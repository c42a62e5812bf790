lsmctl fmt --check web.json ugly.json ../syntax/missing-comma.json nowhere.json
