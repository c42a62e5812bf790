# The page shows names as names: none becomes part of it.
export TZ=UTC LC_ALL=C
lsmctl report
lsmctl report --html - --from records/events.jsonl | grep -c '<script>'
lsmctl report --html - --from records/events.jsonl | grep -o '<rect [^>]*fill="[^"]*"\|<code>[^<]*</code>' | sort | uniq -c | sort -rn
lsmctl report --html - --from records/events.jsonl | grep -c 'https\?:'
# A bar says what the answer was.
cat records/events.jsonl records/learn.jsonl | lsmctl report --html - --from - 2> /dev/null | grep -o '<i class="."' | sort | uniq -c
