package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/sealing"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/sink"
)

// serverWith is reloadHead with more keys of server.
func serverWith(keys string) string {
	return strings.Replace(reloadHead, `"127.0.0.1:0" }`, `"127.0.0.1:0", `+keys+` }`, 1)
}

// mustRunOn checks that the daemon was not started anew.
func (r *reloadable) mustRunOn() {
	r.site.tb.Helper()
	select {
	case err := <-r.ended:
		r.site.tb.Fatalf("the daemon ended: %v", err)
	default:
	}
}

func TestKeysOfAddressesRotateWhileTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	const keys, rest = `keys: [the-one-key-of-callers], `, `
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name } } ]
`
	s := newSite(t, "")
	s.write("pictifyd.yaml", serverWith(keys)+rest)
	s.write("rows.csv", csvRows(1, "one"))
	r := s.reloadable()
	address := func() string {
		binding := r.daemon.roster().binding("cards")
		outputs, err := bindings.Outputs(binding.Outputs, "outputs")
		if err != nil {
			t.Fatal(err)
		}
		out := sink.Output{Name: outputs[0].Name, Ext: "png"}
		return strings.TrimPrefix(r.daemon.urls.Latest(binding, "SKU-000", out), r.daemon.urls.base)
	}
	made := address()
	eventually(t, "the image at its address", func() bool { return r.process.status(made) == http.StatusOK })

	stop, done := make(chan struct{}), make(chan int, 1)
	go func() { // somebody asks all the time
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			res, err := http.Get(r.url + made)
			if err != nil {
				done <- 0
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				done <- res.StatusCode
				return
			}
		}
	}()
	r.mustTake(serverWith(keys+`url_keys: [{ id: k2, secret: the-second-of-all-keys }, { made: true }]`) + rest)
	second := address()
	if got := r.process.status(second); got != http.StatusOK || second == made {
		t.Errorf("%s, signed by the new key, is answered with %d; before it was %s", second, got, made)
	}
	r.mustTake(serverWith(keys+`url_keys: [{ id: k3, secret: the-third-of-all-keys }, { id: k2, secret: the-second-of-all-keys }, { made: true }]`) + rest)
	close(stop)
	if status, refused := <-done; refused {
		t.Errorf("while keys were changed %s was answered with %d", made, status)
	}
	for _, path := range []string{made, second, address()} {
		if got := r.process.status(path); got != http.StatusOK {
			t.Errorf("with all keys %s is answered with %d", path, got)
		}
	}
	r.mustTake(serverWith(keys+`url_keys: [{ id: k3, secret: the-third-of-all-keys }]`) + rest)
	for path, good := range map[string]bool{made: false, second: false, address(): true} {
		if got := r.process.status(path); (got == http.StatusOK) != good {
			t.Errorf("with the newest key alone %s is answered with %d, want it good: %t", path, got, good)
		}
	}
	r.mustRunOn()
}

func TestWebhooksOfBatchesAreSignedByBothSecretsWhileTheyRotate(t *testing.T) {
	t.Parallel()
	const first, second = "whsec_Zmlyc3Qtc2VjcmV0LW9mLXRoZS10ZXN0cw==", "whsec_c2Vjb25kLXNlY3JldC1vZi10ZXN0cw=="
	type told struct {
		header http.Header
		body   []byte
	}
	heard := make(chan told, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		heard <- told{req.Header, body}
	}))
	t.Cleanup(receiver.Close)
	s := newSite(t, "")
	s.write("pictifyd.yaml", serverWith(`webhook_secret: `+first))
	r := s.reloadable()
	for _, c := range []struct {
		server     string
		old, newer bool
	}{
		{"webhook_secret: " + first, true, false},
		{"webhook_secret: " + second + ", previous_webhook_secret: " + first, true, true},
		{"webhook_secret: " + second, false, true},
	} {
		r.mustTake(serverWith(c.server))
		if _, err := r.process.postBatch(batchRows(1), receiver.URL); err != nil {
			t.Fatal(err)
		}
		got := <-heard
		if old, newer := signing.VerifyWebhook(got.header, got.body, first), signing.VerifyWebhook(got.header, got.body, second); old != c.old || newer != c.newer {
			t.Errorf("with %s the first secret verifies %t, the second %t; want %t, %t", c.server, old, newer, c.old, c.newer)
		}
	}
	r.mustRunOn()
}

const (
	oneSeal     = "an-old-tree-in-a-garden-of-64-yews"
	anotherSeal = "a-young-tree-in-a-park-of-12-limes"
)

// mustBeSealedWith checks that all that is sealed in the ledger opens with a key alone.
func (d *Daemon) mustBeSealedWith(t *testing.T, key string, most int) {
	t.Helper()
	sealer, err := sealing.New(key)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	open := func(place, sealed string) {
		if _, err := sealer.Open(place, sealed); err != nil {
			t.Errorf("%s: %v", place, err)
		}
		n++
	}
	resources, err := d.store.Resources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range resources {
		for path, sealed := range one.Secrets {
			open(one.Kind+"/"+one.Name+" "+path, sealed)
		}
	}
	for _, one := range d.store.Subscriptions() {
		open(placeOfSecret(one.ID), one.Secret)
		if one.Previous != "" {
			open(placeOfSecret(one.ID), one.Previous)
		}
	}
	if n != most {
		t.Errorf("%d secrets are sealed, want %d", n, most)
	}
}

func TestKeyThatSealsRotatesWithoutARestart(t *testing.T) {
	t.Parallel()
	shop := newShop(t, oneMug)
	s := newSite(t, "")
	s.write("pictifyd.yaml", reloadHead)
	r := s.reloadable()
	r.mustSend(201, "POST", "/sources", fmt.Sprintf(`{"name":"shop","kind":"http","url":%q,"key":"sku","every":"1h","bearer":"the-bearer-of-the-shop"}`, shop.server.URL))
	eventually(t, "the first reading", func() bool { return shop.lastBearer() == "Bearer the-bearer-of-the-shop" })
	one, _, err := r.daemon.Subscribe(t.Context(), sink.Subscription{Events: []string{"render.completed"}, URL: "http://127.0.0.1:1/", Owner: "me"}, api.Limits{Subscriptions: 9, KeySubscriptions: 9})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.daemon.RotateSecret(t.Context(), one.ID); err != nil {
		t.Fatal(err)
	}
	// From the key that was made to one of the configuration, and on to another.
	r.mustTake(reloadHead + "store: { seal_key: " + oneSeal + " }\n")
	r.daemon.mustBeSealedWith(t, oneSeal, 3)
	r.mustTake(reloadHead + "store: { seal_key: " + anotherSeal + ", previous_seal_key: " + oneSeal + " }\n")
	r.daemon.mustBeSealedWith(t, anotherSeal, 3)
	r.mustTake(reloadHead + "store: { seal_key: " + anotherSeal + " }\n")
	if _, err := r.daemon.subscriber(one.ID); err != nil {
		t.Errorf("the subscription's secret: %v", err)
	}
	// What is kept as it is goes on with the secret that it had.
	before := shop.asks()
	r.mustSend(200, "PUT", "/sources/shop", fmt.Sprintf(`{"kind":"http","url":%q,"key":"sku","every":"2h","bearer":"***"}`, shop.server.URL))
	eventually(t, "a reading of the changed source", func() bool { return shop.asks() > before })
	if got := shop.lastBearer(); got != "Bearer the-bearer-of-the-shop" {
		t.Errorf("the changed source is read with %q", got)
	}
	r.mustRunOn()
}

// A daemon dies as it has sealed some secrets anew. The next one seals the others.
func TestSealingAnewSurvivesAKill(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	bearers := map[string]bool{}
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		bearers[req.Header.Get("Authorization")] = true
		fmt.Fprint(w, `[{"sku":"1"}]`)
	}))
	t.Cleanup(shop.Close)
	all := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return bearers["Bearer bearer-of-one"] && bearers["Bearer bearer-of-two"] && bearers["Bearer bearer-of-three"]
	}
	with := func(seal string) string { return reloadHead + "store: { " + seal + " }\n" }
	s := newSite(t, "")
	s.write("pictifyd.yaml", with("seal_key: "+oneSeal))
	p := s.start()
	for _, name := range []string{"one", "two", "three"} {
		body, err := json.Marshal(map[string]any{"name": name, "kind": "http", "url": shop.URL, "key": "sku", "every": "1s", "bearer": "bearer-of-" + name})
		if err != nil {
			t.Fatal(err)
		}
		ask(t, "POST", p.url+"/sources", string(body)).must(t, http.StatusCreated)
	}
	eventually(t, "all are read", all)
	p.kill()

	s.write("pictifyd.yaml", with("seal_key: "+anotherSeal+", previous_seal_key: "+oneSeal))
	s.start(childCrash + "=secrets.resealed:2").mustDie("secrets.resealed")
	p = s.start()
	if code := p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}

	s.write("pictifyd.yaml", with("seal_key: "+anotherSeal))
	mu.Lock()
	clear(bearers)
	mu.Unlock()
	s.start()
	eventually(t, "all are read with what the new key alone opens", all)
}
