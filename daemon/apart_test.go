package daemon

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/config"
)

const twoOutputs = "outputs: [ { name: card, format: png }, { name: story, format: png } ]"

// A sink that gives each picture a place refuses a binding whose outputs would meet.
func TestCheckRefusesOutputsThatMeet(t *testing.T) {
	for _, c := range []struct{ sink, outputs, want string }{
		{`{ kind: file, path: "out/{{ key }}.{{ ext }}" }`, twoOutputs, `the sink "to" can't take this binding: its outputs "card" and "story" have the same path`},
		{`{ kind: file, path: "out/{{ key }}-{{ output }}.{{ ext }}" }`, twoOutputs, ""},
		{`{ kind: file, path: "out/{{ key }}.{{ ext }}" }`, "outputs: [ { format: png }, { format: jpeg } ]", ""},
		{`{ kind: file, path: "out/{{ key }}.png" }`, "outputs: [ { format: png }, { format: jpeg } ]", `its outputs "png" and "jpeg" have the same path`},
		{`{ kind: file, path: "out/{{ key }}.png" }`, "", ""},
		{`{ kind: s3, bucket: cards, region: x, path: "{{ key }}-{{ hash }}", alias: "{{ key }}" }`, twoOutputs, `have the same alias`},
		{`{ kind: s3, bucket: cards, region: x, path: "{{ key }}-{{ hash }}" }`, twoOutputs, ""},
		{`{ kind: webhook, url: "https://shop.example/" }`, twoOutputs, ""},
	} {
		src := fmt.Sprintf("sources: { rows: { kind: static, key: id, rows: [ { id: 1 } ] } }\nsinks: { to: %s }\nbindings:\n  - { name: cards, source: rows, template: card, sinks: [to], %s }\n", c.sink, c.outputs)
		_, err := decode("pictifyd.yaml", []byte(src), config.Options{Env: os.LookupEnv, Dir: t.TempDir()}, Connectors(), Sinks())
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "pictifyd.yaml:4:")) {
			t.Errorf("%s with %s: %v, want %q", c.sink, c.outputs, err, c.want)
		}
	}
}

// Over the API the same holds, for a sink of the file and for one of a caller.
func TestOutputsThatMeetAreRefusedOverTheAPI(t *testing.T) {
	s := newSite(t, "")
	s.write("pictifyd.yaml", `server: { listen: "127.0.0.1:0" }
templates: templates
sources: { rows: { kind: static, key: sku, rows: [ { sku: A, name: Mug, price: 1 } ] } }
sinks: { folder: { kind: file, path: "out/{{ key }}.{{ ext }}" } }
`)
	p := s.start()
	p.mustSend(201, "POST", "/sinks", `{"name":"theirs","kind":"s3","bucket":"cards","endpoint":"http://93.184.216.34","accessKey":"an-id","secretKey":"a-secret","path":"{{ key }}-{{ hash }}","alias":"{{ key }}.{{ ext }}"}`)
	for _, name := range []string{"folder", "theirs"} {
		body := fmt.Sprintf(`{"name":"cards","source":"rows","template":"card","map":{"title":"name"},"sinks":[%q],"outputs":[{"name":"card"},{"name":"story"}]}`, name)
		if text := p.mustSend(422, "POST", "/bindings", body); !strings.Contains(text, "outputs_meet") || !strings.Contains(text, "story") {
			t.Errorf("%s: %s", name, text)
		}
	}
	for _, path := range []string{`"profile":"default"`, `"credentialsFile":"/root/.aws/credentials"`} {
		body := `{"name":"other","kind":"s3","bucket":"cards","endpoint":"http://93.184.216.34","accessKey":"an-id","secretKey":"a-secret","path":"{{ key }}",` + path + `}`
		if text := p.mustSend(422, "POST", "/sinks", body); !strings.Contains(text, "is a file of this machine") {
			t.Errorf("%s: %s", path, text)
		}
	}
	if text := p.mustSend(422, "POST", "/sinks", `{"name":"other","kind":"s3","bucket":"cards","endpoint":"http://93.184.216.34","path":"{{ key }}"}`); !strings.Contains(text, "own credentials can't be used") {
		t.Errorf("without keys: %s", text)
	}
}
