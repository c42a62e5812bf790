# The page shows names as names: none becomes part of it.
export TZ=UTC LC_ALL=C
lsmctl report
lsmctl report --html - --from records/events.jsonl | grep -c '<script>'
lsmctl report --html - --from records/events.jsonl | grep -o '<rect [^>]*fill="[^"]*"\|<code>[^<]*</code>' | sort | uniq -c | sort -rn
lsmctl report --html - --from records/events.jsonl | grep -c 'https\?:'
