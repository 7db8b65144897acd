package httpsink_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestValidateNamesEverySettingThatIsWrong(t *testing.T) {
	for yaml, want := range map[string]string{
		`{ kind: http }`:                                                                   "url: is missing",
		`{ kind: http, url: shop.example }`:                                                "url: is not an http or https address",
		`{ kind: http, url: "ftp://a.example" }`:                                           "url: is not an http or https address",
		`{ kind: http, url: "http://me:pw@a.example" }`:                                    "url: has a user in it",
		`{ kind: http, url: "https://{{ row.host }}/x" }`:                                  "url: an expression stands in its host",
		`{ kind: http, url: "https://a.example{{ key }}/x" }`:                              "url: an expression stands in its host",
		`{ kind: http, url: "https://a.example:{{ row.port }}/x" }`:                        "url:",
		`{ kind: http, url: "{{ url }}" }`:                                                 "url: is not an http or https address",
		`{ kind: http, url: "https://{{ key }}" }`:                                         "url: an expression stands in its host",
		`{ kind: http, url: "http://a.example/{{ kee }}" }`:                                `url: {{ kee }}: unknown variable "kee"`,
		`{ kind: http, url: "http://a.example/{{ key" }`:                                   "url: {{ is not closed",
		`{ kind: http, url: HOST, method: post }`:                                          `method: "post" is not a method`,
		`{ kind: http, url: HOST, method: CONNECT }`:                                       `method: "CONNECT" is not a method`,
		`{ kind: http, url: HOST, method: GET, json: { a: 1 } }`:                           "method: a GET has no body",
		`{ kind: http, url: HOST, json: { a: [kee] } }`:                                    `json.a[0]: unknown variable "kee"`,
		`{ kind: http, url: HOST, json: { a: "hello there" } }`:                            "json.a:",
		`{ kind: http, url: HOST, form: { a: { b: 1 } } }`:                                 "form.a: is an object",
		`{ kind: http, url: HOST, multipart: { a: kee } }`:                                 `multipart.a: unknown variable "kee"`,
		`{ kind: http, url: HOST, multipart: { a: { nam: x } } }`:                          `multipart.a: unknown key "nam"`,
		`{ kind: http, url: HOST, multipart: { a: { name: "{{ kee }}" } } }`:               `multipart.a.name: {{ kee }}: unknown variable "kee"`,
		`{ kind: http, url: HOST, json: { a: 1 }, form: { a: 1 } }`:                        "form: json is there too",
		`{ kind: http, url: HOST, image: true, body: x }`:                                  "image: body is there too",
		`{ kind: http, url: HOST, content_type: text/csv }`:                                "content_type: there is no body",
		`{ kind: http, url: HOST, form: { a: 1 }, content_type: text/csv }`:                "content_type: form has its own",
		`{ kind: http, url: HOST, headers: { "a b": x } }`:                                 "headers.a b: is not a header",
		`{ kind: http, url: HOST, headers: { host: x } }`:                                  "headers.Host: is set by pictifyd itself",
		`{ kind: http, url: HOST, headers: { content-type: x } }`:                          "headers.Content-Type: the type of the body is content_type",
		`{ kind: http, url: HOST, headers: { Authorization: x }, bearer: y }`:              "headers.Authorization: bearer or basic sets it too",
		`{ kind: http, url: HOST, bearer: x, basic: { user: me } }`:                        "basic: bearer says who asks, too",
		`{ kind: http, url: HOST, bearer: "x\ny" }`:                                        "bearer: has characters that a header can't carry",
		`{ kind: http, url: HOST, basic: {} }`:                                             "basic: has neither user nor password",
		`{ kind: http, url: HOST, basic: { user: "a:b" } }`:                                "basic.user: has a colon",
		`{ kind: http, url: HOST, success: [2x] }`:                                         `success: "2x" is no status`,
		`{ kind: http, url: HOST, permanent: [600] }`:                                      `permanent: "600" is no status`,
		`{ kind: http, url: HOST, expect: boddy.success }`:                                 `expect: unknown variable "boddy"`,
		`{ kind: http, url: HOST, timeout: 0s }`:                                           "timeout: must be longer than nothing",
		`{ kind: http, url: HOST, each_output: true, output: card }`:                       "each_output: output names one",
		`{ kind: http, url: HOST, events: [run.completed] }`:                               `events[0]: "run.completed" is about no row`,
		`{ kind: http, url: HOST, on: { run.completed: {} } }`:                             `on["run.completed"]: "run.completed" is no event of a row`,
		`{ kind: http, url: HOST, events: [render.completed], on: { image.removed: {} } }`: `on["image.removed"]: events does not name it`,
		`{ kind: http, url: HOST, image: true, on: { image.removed: {} } }`:                `image: image.removed comes without a picture`,
		`{ kind: http, url: HOST, on: { image.removed: { url: "http://{{ key }}/" } } }`:   `on["image.removed"].url: an expression stands in its host`,
		`{ kind: http, url: HOST, on: { image.removed: { json: { a: kee } } } }`:           `on["image.removed"].json.a: unknown variable "kee"`,
	} {
		_, err := decode(t, "http://a.example", yaml)
		all := problem.All(err)
		if err == nil || len(all) != 1 {
			t.Errorf("%s: %v, want one problem", yaml, err)
			continue
		}
		if got := all[0].Path + ": " + all[0].Message; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", yaml, got, want)
		}
	}
}

// The addresses that are judged for callers are all that there are.
func TestAddressesAreThoseOfEveryEvent(t *testing.T) {
	c, err := decode(t, "http://a.example", `{ kind: http, url: "HOST/{{ key }}", on: { image.removed: { url: "http://b.example/{{ key }}?a" }, render.failed: {} } }`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"url": "http://a.example/x", `on["image.removed"].url`: "http://b.example/x?a"}
	if diff := cmp.Diff(want, c.Addresses()); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}
