"""Sends twice as many batches as a daemon can make, with vegeta, and tells what
became of them: every batch that was accepted has to be completed whole, every
refusal has to say when to come again. Ends with 1 where that is not so."""
import base64, json, subprocess, sys, time, urllib.request

vegeta, url, work, length = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
ROWS = 20


def body(word):
    return json.dumps({"format": "jpeg", "variables": [{"title": f"{word} {i}", "price": i} for i in range(ROWS)]}).encode()


def ask(path, data=None):
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def done(job):
    while (view := ask(f"/jobs/{job}?limit=1"))["status"] not in ("completed", "partial", "failed", "cancelled"):
        time.sleep(0.05)
    return view


def capacity(word):
    """Batches a second, eight of them in hand at a time."""
    began, count, jobs = time.time(), 0, []
    while time.time() - began < 5 or jobs:
        while len(jobs) < 8 and time.time() - began < 5:
            jobs.append(ask("/templates/product-card/batch-render", body(f"{word} {count + len(jobs)}"))["jobId"])
        done(jobs.pop(0))
        count += 1
    return count / (time.time() - began)


before = capacity("before")
rate = max(1, round(2 * before))
with open(f"{work}/targets", "w") as targets:
    for n in range(rate * length):
        target = {"method": "POST", "url": url + "/templates/product-card/batch-render", "header": {"Content-Type": ["application/json"]},
                  "body": base64.b64encode(body(f"twice {n}")).decode()}
        targets.write(json.dumps(target) + "\n")
attack = f"{vegeta} -cpus 1 attack -format json -lazy -rate {rate} -duration {length}s -timeout 30s < {work}/targets | {vegeta} encode --to json"
answers = [json.loads(line) for line in subprocess.run(attack, shell=True, check=True, capture_output=True).stdout.splitlines()]
statuses, jobs, wrong = {}, [], []
for a in answers:
    statuses[a["code"]] = statuses.get(a["code"], 0) + 1
    headers = {k.lower(): v for k, v in (a.get("headers") or {}).items()}
    if a["code"] == 202:
        jobs.append(json.loads(base64.b64decode(a["body"]))["jobId"])
    elif a["code"] not in (429, 503) or "retry-after" not in headers:
        wrong.append(f"{a['code']} {a['error']} {headers}")
began = time.time()
for job in jobs:
    view = done(job)
    if view["completedItems"] != ROWS or view["totalItems"] != ROWS:
        wrong.append(f"{job}: {view['status']}, {view['completedItems']} of {ROWS}")
after = capacity("after")
print(f"batches of {ROWS} rows: {before:.1f}/s before; asked for {rate}/s during {length} s: status {statuses}; "
      f"the last accepted row was there {time.time() - began:.0f} s after; {after:.1f}/s afterwards")
for line in wrong[:10]:
    print("wrong:", line)
sys.exit(1 if wrong else 0)
