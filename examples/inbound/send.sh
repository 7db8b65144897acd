#!/usr/bin/env bash
# Plays the registration: signed calls, as Standard Webhooks has them, with curl
# and openssl alone.
set -euo pipefail
server="${PICTIFYD_SERVER:-http://127.0.0.1:8080}"
secret="${REGISTRATION_SECRET:-whsec_aW5ib3VuZC1leGFtcGxlLXNlY3JldA==}"
key=$(printf %s "${secret#whsec_}" | base64 -d | od -An -vtx1 | tr -d ' \n')

# call ID BODY signs ID.TIME.BODY and sends it.
call() {
  local id=$1 body=$2 sent signature
  sent=$(date +%s)
  signature=$(printf '%s.%s.%s' "$id" "$sent" "$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
  curl -sS --fail-with-body "$server/hooks/registrations" -H 'Content-Type: application/json' \
    -H "webhook-id: $id" -H "webhook-timestamp: $sent" -H "webhook-signature: v1,$signature" --data-binary "$body"
}

run=$(openssl rand -hex 6) # ids of another run are other messages
now=$(date +%s)
# at N is the time N seconds from when this began, with the date of Linux or of macOS.
at() { date -u -d "@$((now + $1))" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$((now + $1))" +%Y-%m-%dT%H:%M:%SZ; }

call "msg_${run}_1" '{"event":"attendee.registered","sent":"'"$(at -3)"'","attendees":[
  {"ticket":"T-1001","name":"Ada Lovelace","company":"Analytical Engines Ltd","kind":"Attendee"},
  {"ticket":"T-1002","name":"Grace Hopper","company":"Harvard Computation Laboratory","kind":"Speaker"},
  {"ticket":"T-1003","name":"Şule Åkerström-Nguyễn","company":"Fjord & Søn","kind":"Crew"},
  {"name":"Nobody","company":"without a ticket"}]}'
call "msg_${run}_3" '{"event":"attendee.changed","sent":"'"$(at -1)"'","attendees":[{"ticket":"T-1001","name":"Ada King","company":"Analytical Engines Ltd","kind":"Speaker"}]}'
call "msg_${run}_2" '{"event":"attendee.changed","sent":"'"$(at -2)"'","attendees":[{"ticket":"T-1001","name":"Ada Byron","company":"late, and older","kind":"Attendee"}]}'
call "msg_${run}_4" '{"event":"attendee.cancelled","sent":"'"$(at 0)"'","attendees":[{"ticket":"T-1003"}]}'
call "msg_${run}_4" '{"event":"attendee.cancelled","sent":"'"$(at 0)"'","attendees":[{"ticket":"T-1003"}]}' # once more: a duplicate
