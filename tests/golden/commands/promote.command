# A policy and its shadow by records of both, and what is promoted of it. No agent runs here: nothing is put in force.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/policies"
cat > "$dir/settings.json" <<-END
	{ "policies": "$dir/policies", "vendor_policies": "$dir/none", "socket": "$dir/sock" }
END
cp records/both-web.json "$dir/policies/web.json"
promote() { lsmctl --settings "$dir/settings.json" promote "$@" 2>&1 | sed "s|$dir|DIR|g"; }
promote web
cp records/both-next.json "$dir/policies/web-next.json"
promote web --dry-run --from records/both.jsonl
promote web --from records/both.jsonl
promote web --dry-run --from records/both.jsonl --since 2026-11-21 --json
promote web --force --from records/both.jsonl
promote other
promote
ls "$dir/policies"
