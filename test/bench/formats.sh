# Sourced by run.sh: what it costs to capture bytes instead of payloads.
# shellcheck shell=bash disable=SC2154

scratch=$LEAD_MGMT_WORK/out/formats
mkdir -p "$scratch"

sql <<-SQL
	CREATE TABLE public.leads AS SELECT g, jsonb_build_object('full_name', 'Person ' || g, 'email', 'person' || g || '@company' || g % 5000 || '.example.com',
		'phone', '+8491' || lpad((g % 10000000)::text, 7, '0'), 'company', 'Company ' || g % 5000, 'job_title', (ARRAY['Director', 'Engineer', 'Buyer'])[1 + g % 3],
		'country', 'VN', 'page', 'page' || g % 5, 'channel', 'email', 'message', 'Please send an offer for ' || g % 40 || ' users & more') AS payload
		FROM generate_series(1, 100000) g;
	COPY (SELECT payload FROM public.leads ORDER BY g) TO '$scratch/leads';
	CREATE FUNCTION public.encoded(value text) RETURNS text LANGUAGE sql IMMUTABLE AS
		\$\$ SELECT replace(replace(replace(replace(replace(value, '%', '%25'), '+', '%2B'), '@', '%40'), '&', '%26'), ' ', '+') \$\$;
	CREATE TABLE public.bodies AS SELECT
		(SELECT convert_to('[' || string_agg(payload::text, ',' ORDER BY g) || ']', 'UTF8') FROM public.leads) AS json,
		(SELECT convert_to(string_agg(payload::text, E'\n' ORDER BY g), 'UTF8') FROM public.leads) AS lines,
		(SELECT convert_to(E'full_name,email,phone,company,job_title,country,page,channel,message\n' || string_agg(concat_ws(',', payload ->> 'full_name', payload ->> 'email',
			payload ->> 'phone', payload ->> 'company', payload ->> 'job_title', payload ->> 'country', payload ->> 'page', payload ->> 'channel', payload ->> 'message'), E'\n' ORDER BY g), 'UTF8') FROM public.leads) AS csv,
		(SELECT convert_to('<leads>' || string_agg('<lead>' || (SELECT string_agg(format('<%s>%s</%1\$s>', key, replace(value, '&', '&amp;')), '') FROM jsonb_each_text(payload)) || '</lead>', '' ORDER BY g) || '</leads>', 'UTF8') FROM public.leads) AS xml,
		(SELECT array_agg(convert_to(payload::text, 'UTF8') ORDER BY g) FROM public.leads) AS json_bodies,
		(SELECT array_agg(convert_to((SELECT string_agg(key || '=' || public.encoded(value), '&') FROM jsonb_each_text(payload)), 'UTF8') ORDER BY g) FROM public.leads) AS form_bodies;
SQL

# measured CALL: milliseconds in a workspace of its own, the least of three
measured() {
	local i least= ms
	for i in 1 2 3; do
		sql "SELECT lead_mgmt.create_workspace('w')" >/dev/null
		sql CHECKPOINT
		ms=$(time_ms sql "$1")
		[[ $(sql "SELECT count(*) FROM w.submission WHERE status = 'accepted'") == 100000 ]] || fail "not all was accepted: $1"
		sql "SELECT lead_mgmt.drop_workspace('w', 'w')" >/dev/null
		if [[ -z $least ]] || ((ms < least)); then least=$ms; fi
	done
	echo "$least"
}

peer=$(measured "COPY w.submission (payload) FROM '$scratch/leads'")
raw() { measured "SELECT count(*) FROM w.capture_raw('default', '$1', (SELECT $2 FROM public.bodies))"; }
many() { measured "SELECT count(*) FROM w.capture_bodies('default', '$1', (SELECT $2 FROM public.bodies))"; }
row '100,000 JSON bodies, one call / COPY, ms' "$(many application/json json_bodies)" "$peer" '<= 1.5'
row '100,000 form-encoded bodies, one call, ms' "$(many application/x-www-form-urlencoded form_bodies)" "$peer" '<= 1.5'
row 'a JSON array of 100,000, ms' "$(raw application/json json)" "$peer" '<= 1.5'
row '100,000 JSON lines, ms' "$(raw application/x-ndjson lines)" "$peer" '<= 1.5'
row '100,000 CSV rows, ms' "$(raw text/csv csv)" "$peer"
row '100,000 XML elements, ms' "$(raw text/xml xml)" "$peer"
rm -rf "$scratch"
