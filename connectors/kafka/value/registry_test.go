package value_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/avro"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/trust"
)

// mustRegistry is the address of the registry that make test starts.
func mustRegistry(tb testing.TB) string {
	tb.Helper()
	address := os.Getenv("PICTIFYD_TEST_REGISTRY")
	if address == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal("PICTIFYD_TEST_REGISTRY is not set")
		}
		tb.Skip("PICTIFYD_TEST_REGISTRY is not set: make test sets it")
	}
	return address
}

// A refersTo is a schema that another refers to.
type refersTo struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// mustRegister gives a schema to the registry as a serializer does, and returns its id.
func mustRegister(tb testing.TB, registry, subject, schema string, references ...refersTo) uint32 {
	tb.Helper()
	body, err := json.Marshal(map[string]any{"schema": schema, "references": references})
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.Post(registry+"/subjects/"+subject+"/versions", "application/vnd.schemaregistry.v1+json", bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	var said struct {
		ID uint32 `json:"id"`
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(text, &said) != nil {
		tb.Fatalf("register %s: %s %s %v", subject, resp.Status, text, err)
	}
	return said.ID
}

// framed is body with the frame of a registry.
func framed(id uint32, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, id), body...)
}

func mustEncode(tb testing.TB, schema string, v any) []byte {
	tb.Helper()
	s, err := avro.Parse(schema)
	if err != nil {
		tb.Fatal(err)
	}
	body, err := s.Encode(v)
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// subjectOf is a subject that no other test has.
func subjectOf(tb testing.TB, name string) string {
	return fmt.Sprintf("%s-%d-%s", strings.NewReplacer("/", "-", " ", "-").Replace(tb.Name()), time.Now().UnixNano(), name)
}

const goods = `{"type":"record","name":"Good","namespace":"shop","fields":[{"name":"sku","type":"string"},{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}}]}`

// goodTea is a Good, written by hand: a text of six bytes, bytes of two.
var goodTea = append(append([]byte{12}, "TEA-01"...), 4, 0x04, 0xd2)

func asAvro(address string) func(*value.Config) {
	return func(c *value.Config) {
		c.Format, c.SchemaRegistry = value.Avro, &value.Registry{URL: config.Strings{address}}
	}
}

func TestValueOfARegistry(t *testing.T) {
	registry := mustRegistry(t)
	id := mustRegister(t, registry, subjectOf(t, "value"), goods)
	d := newDecoder(t, []string{"sku"}, asAvro(registry))
	mustEqual(t, connectors.Row{
		Key: []any{"TEA-01"}, Values: map[string]any{"sku": "TEA-01", "price": number("12.34")}, Position: "goods/3@42",
	}, mustRow(t, d, record(nil, framed(id, goodTea))))
}

func TestKeysOfARegistry(t *testing.T) {
	registry := mustRegistry(t)
	scalar := mustRegister(t, registry, subjectOf(t, "key"), `"long"`)
	object := mustRegister(t, registry, subjectOf(t, "key"), `{"type":"record","name":"Key","fields":[{"name":"shop","type":"string"},{"name":"id","type":"int"}]}`)
	set := func(c *value.Config) {
		c.KeyFormat, c.SchemaRegistry = value.Avro, &value.Registry{URL: config.Strings{registry}}
	}
	mustEqual(t, []any{number("-7")}, mustRow(t, newDecoder(t, nil, set), record(framed(scalar, []byte{13}), `{}`)).Key)
	mustEqual(t, []any{number("-7")}, mustRow(t, newDecoder(t, nil, set), record(framed(scalar, []byte{13}), nil)).Key)
	mustEqual(t, []any{number("5"), "b"}, mustRow(t, newDecoder(t, nil, set), record(framed(object, []byte{2, 'b', 10}), nil)).Key)
	mustEqual(t, []any{"b", number("5")}, mustRow(t, newDecoder(t, []string{"shop", "id"}, set), record(framed(object, []byte{2, 'b', 10}), nil)).Key)
	f := mustFault(t, newDecoder(t, nil, set), record("text", nil))
	if f.Reason != value.BadKey || !strings.Contains(f.Detail, "0x74") {
		t.Errorf("the fault %+v", f)
	}
}

// Schemas refer to others, which refer to others; two to the same.
func TestSchemasReferToOthers(t *testing.T) {
	registry := mustRegistry(t)
	money, address, person := subjectOf(t, "money"), subjectOf(t, "address"), subjectOf(t, "person")
	mustRegister(t, registry, money, `{"type":"record","name":"shop.Money","fields":[{"name":"cents","type":"long"}]}`)
	mustRegister(t, registry, address, `{"type":"record","name":"shop.Address","fields":[{"name":"city","type":"string"},{"name":"rent","type":"shop.Money"}]}`, refersTo{"shop.Money", money, 1})
	mustRegister(t, registry, person, `{"type":"record","name":"shop.Person","fields":[{"name":"debt","type":"shop.Money"}]}`, refersTo{"shop.Money", money, 1})
	id := mustRegister(t, registry, subjectOf(t, "value"), `{"type":"record","name":"shop.Order","fields":[{"name":"id","type":"int"},{"name":"to","type":"shop.Address"},{"name":"by","type":"shop.Person"}]}`,
		refersTo{"shop.Address", address, 1}, refersTo{"shop.Person", person, 1})
	row := mustRow(t, newDecoder(t, []string{"id"}, asAvro(registry)), record(nil, framed(id, []byte{2, 6, 'O', 's', 'l', 20, 40})))
	mustEqual(t, map[string]any{
		"id": number("1"), "to": map[string]any{"city": "Osl", "rent": map[string]any{"cents": number("10")}}, "by": map[string]any{"debt": map[string]any{"cents": number("20")}},
	}, row.Values)
}

func TestPoisonOfARegistryIsAFault(t *testing.T) {
	registry := mustRegistry(t)
	id := mustRegister(t, registry, subjectOf(t, "value"), goods)
	d := newDecoder(t, nil, asAvro(registry))
	for name, c := range map[string]struct {
		text           []byte
		reason, detail string
	}{
		"wrong magic byte": {[]byte(`{"a":1}`), "bad_record", "begins with the byte 0x7b"},
		"empty":            {[]byte{}, "bad_record", "empty"},
		"cut frame":        {[]byte{0, 0, 0}, "bad_record", "3 bytes"},
		"no such id":       {framed(0xffffffff, nil), value.UnknownSchema, "the id of no schema"},
		"cut":              {framed(id, goodTea[:3]), "bad_record", "not what its schema says"},
		"too long":         {framed(id, append(bytes.Clone(goodTea), 1, 2)), "bad_record", "2 bytes more"},
		"no text":          {framed(id, []byte{2, 0xff, 2, 0}), "bad_record", "no UTF-8"},
		"vast":             {framed(id, []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}), "bad_record", "not what its schema says"},
	} {
		t.Run(name, func(t *testing.T) {
			f := mustFault(t, d, record("k", c.text))
			if f.Reason != c.reason || !strings.Contains(f.Detail, c.detail) || f.Raw == nil {
				t.Errorf("the fault %+v, want the reason %s and %q in its detail", f, c.reason, c.detail)
			}
			mustEqual(t, []any{"k"}, f.Key)
		})
	}
}

// A roundTrip stands for a registry where no connection has to be.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(r *http.Request, status int, body string, headers ...string) (*http.Response, error) {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

func schemaAnswer(schema string) string {
	text, _ := json.Marshal(map[string]string{"schema": schema})
	return string(text)
}

// newFaked is a decoder of Goods whose registry is answer.
func newFaked(tb testing.TB, set func(*value.Config), registry roundTrip) *value.Decoder {
	tb.Helper()
	cfg := value.Defaults()
	asAvro("http://registry.test/base")(&cfg)
	if set != nil {
		set(&cfg)
	}
	d, err := value.New(cfg, nil, connectors.Env{Client: &http.Client{Transport: registry}})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// old has been written long ago: its schema is not to come any more.
func old(text []byte) value.Record { return record("k", text) }

// Whatever a registry does but say that it has no such schema has the record decoded
// again later (registry.get; P10, row 19 of the test matrix): an outage sets nothing
// aside, and nothing passes it.
func TestRegistryThatIsAwayIsNoFault(t *testing.T) {
	for name, c := range map[string]struct {
		answer roundTrip
		want   string
		wait   time.Duration
	}{
		"500": {func(r *http.Request) (*http.Response, error) {
			return answer(r, 500, `{"error_code":50001,"message":"Error in the backend datastore"}`)
		}, "500 Internal Server Error: Error in the backend datastore", 0},
		"503 of a proxy": {func(r *http.Request) (*http.Response, error) { return answer(r, 503, "<html>", "Retry-After", "7") }, "503 Service Unavailable", 7 * time.Second},
		"429": {func(r *http.Request) (*http.Response, error) {
			return answer(r, 429, `{"error_code":42901,"message":"slow down"}`, "Retry-After", "3")
		}, "slow down", 3 * time.Second},
		"401": {func(r *http.Request) (*http.Response, error) {
			return answer(r, 401, `{"error_code":401,"message":"Unauthorized"}`)
		}, "correct basic or bearer", 0},
		"wrong path": {func(r *http.Request) (*http.Response, error) {
			return answer(r, 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`)
		}, "correct schema_registry.url", 0},
		"404 of a proxy": {func(r *http.Request) (*http.Response, error) { return answer(r, 404, "<html>") }, "correct schema_registry.url", 0},
		"a page":         {func(r *http.Request) (*http.Response, error) { return answer(r, 200, "<html>") }, "no schema registry", 0},
		"no schema":      {func(r *http.Request) (*http.Response, error) { return answer(r, 200, "{}") }, "no schema registry", 0},
		"a redirect": {func(r *http.Request) (*http.Response, error) {
			return answer(r, 302, "", "Location", "http://elsewhere/")
		}, "correct schema_registry.url", 0},
		"refused": {func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }, "does not answer: connection refused", 0},
		"endless": {func(r *http.Request) (*http.Response, error) { return answer(r, 200, strings.Repeat(" ", 5<<20)) }, "more than 4 MB", 0},
	} {
		t.Run(name, func(t *testing.T) {
			away := true
			d := newFaked(t, nil, func(r *http.Request) (*http.Response, error) {
				if away {
					return c.answer(r)
				}
				return answer(r, 200, schemaAnswer(goods))
			})
			for range 2 {
				got, err := d.Decode(t.Context(), old(framed(1, goodTea)))
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("decoded %+v, %v; want an error with %q", got, err, c.want)
				}
				if wait, _ := retry.Wait(err); wait != c.wait {
					t.Errorf("it is to be tried again after %v, want %v", wait, c.wait)
				}
				if _, err := d.Replay(t.Context(), []byte(`{"topic":"t","key":"aw==","value":"AAAAAAEMVEVBLTAxBATS"}`)); err == nil {
					t.Error("it is replayed while the registry is away")
				}
			}
			away = false
			mustEqual(t, []any{"k"}, mustRow(t, d, old(framed(1, goodTea))).Key)
		})
	}
}

func TestSlowRegistryIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFaked(t, func(c *value.Config) { c.SchemaRegistry.Timeout = config.Duration(3 * time.Second) },
			func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
		began := time.Now()
		_, err := d.Decode(t.Context(), old(framed(1, goodTea)))
		if problem.CodeOf(err) != problem.Timeout || time.Since(began) != 3*time.Second {
			t.Errorf("it ended after %v with %v", time.Since(began), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.Decode(ctx, old(framed(1, goodTea))); !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	})
}

const noSuchSchema = `{"error_code":40403,"message":"Schema 7 not found"}`

// A registry of several servers may not know everywhere what it took a moment ago
// (registry.missing; P10): a schema is unknown once it was asked for in vain for a
// while, each other record then is set aside at once.
func TestSchemaThatComesLateIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var knows atomic.Bool
		d := newFaked(t, nil, func(r *http.Request) (*http.Response, error) {
			if knows.Load() {
				return answer(r, 200, schemaAnswer(goods))
			}
			return answer(r, 404, noSuchSchema)
		})
		if _, err := d.Decode(t.Context(), old(framed(7, goodTea))); err == nil {
			t.Fatal("the schema is given up at once")
		} else if wait, _ := retry.Wait(err); wait <= 0 || wait > time.Second {
			t.Errorf("it is to be tried again after %v", wait)
		}
		knows.Store(true)
		time.Sleep(time.Second)
		mustRow(t, d, old(framed(7, goodTea)))

		knows.Store(false)
		if _, err := d.Decode(t.Context(), old(framed(8, goodTea))); err == nil {
			t.Fatal("the schema is given up at once")
		}
		time.Sleep(10 * time.Second)
		f := mustFault(t, d, old(framed(8, goodTea)))
		if f.Reason != value.UnknownSchema || !strings.Contains(f.Detail, "Schema 7 not found") {
			t.Errorf("the fault %+v", f)
		}
		mustFault(t, d, old(framed(8, goodTea)))
		knows.Store(true)
		row, err := d.Replay(t.Context(), f.Raw)
		if err != nil || row.Key[0] != "k" {
			t.Errorf("it is tried again as %+v, %v", row, err)
		}
	})
}

func TestSchemasThatCannotBeReadAreFaults(t *testing.T) {
	for name, c := range map[string]struct{ answer, detail string }{
		"another format": {`{"schemaType":"PROTOBUF","schema":"syntax"}`, "is PROTOBUF, not Avro"},
		"no schema":      {schemaAnswer(`{"type":"nothing"}`), "can't be read"},
		"no JSON":        {schemaAnswer(`{`), "can't be read"},
		"a circle":       {`{"schema":"\"x.A\"","references":[{"name":"x.A","subject":"a","version":1}]}`, "can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			d := newFaked(t, nil, func(r *http.Request) (*http.Response, error) {
				asked++
				return answer(r, 200, c.answer)
			})
			for range 3 {
				f := mustFault(t, d, old(framed(1, goodTea)))
				if f.Reason != value.BadSchema || !strings.Contains(f.Detail, c.detail) || f.Raw == nil {
					t.Errorf("the fault %+v", f)
				}
			}
			if asked > 2 {
				t.Errorf("the registry was asked %d times", asked)
			}
		})
	}
	many := 0
	d := newFaked(t, nil, func(r *http.Request) (*http.Response, error) {
		many++
		return answer(r, 200, fmt.Sprintf(`{"schema":"\"int\"","references":[{"name":"a","subject":"a%d","version":1}]}`, many))
	})
	if f := mustFault(t, d, old(framed(1, goodTea))); f.Reason != value.BadSchema || many > 102 {
		t.Errorf("the fault %+v after %d requests", f, many)
	}
}

func TestSchemaIsAskedForOnce(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	d := newFaked(t, func(c *value.Config) {
		c.SchemaRegistry.Basic = &value.Basic{User: "me", Password: config.NewSecret("secret")}
	}, func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		user, password, _ := r.BasicAuth()
		asked = append(asked, r.Method+" "+r.URL.String()+" "+user+":"+password+" "+r.Header.Get("Accept"))
		return answer(r, 200, schemaAnswer(goods))
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if got, err := d.Decode(t.Context(), old(framed(7, goodTea))); err != nil || len(got.Rows) != 1 {
					t.Errorf("decoded %+v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	mustEqual(t, []string{"GET http://registry.test/base/schemas/ids/7 me:secret application/vnd.schemaregistry.v1+json, application/json"}, asked)
}

func TestAnotherAddressIsAskedWhereOneIsAway(t *testing.T) {
	var hosts []string
	d := newFaked(t, func(c *value.Config) {
		c.SchemaRegistry.URL = config.Strings{"http://one.test", "http://two.test/"}
		c.SchemaRegistry.Bearer = config.NewSecret("token")
	}, func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host+r.URL.Path+" "+r.Header.Get("Authorization"))
		if r.URL.Host == "one.test" {
			return answer(r, 503, "")
		}
		return answer(r, 200, schemaAnswer(goods))
	})
	mustRow(t, d, old(framed(7, goodTea)))
	mustEqual(t, []string{"one.test/schemas/ids/7 Bearer token", "two.test/schemas/ids/7 Bearer token"}, hosts)
}

// What an address has after it answered is its word: no secret leaves for where a
// redirect points.
func TestRedirectGetsNoSecret(t *testing.T) {
	var got atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.Add(1) }))
	t.Cleanup(elsewhere.Close)
	registry := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(registry.Close)
	d := newDecoder(t, nil, func(c *value.Config) {
		asAvro(registry.URL)(c)
		c.SchemaRegistry.Bearer = config.NewSecret("token")
	})
	if _, err := d.Decode(t.Context(), old(framed(1, goodTea))); err == nil || got.Load() > 0 {
		t.Errorf("it ended with %v, and %d requests elsewhere", err, got.Load())
	}
}

func TestRegistryIsTrustedByItsAuthority(t *testing.T) {
	registry := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, schemaAnswer(goods)) }))
	t.Cleanup(registry.Close)
	registry.Config.ErrorLog = log.New(io.Discard, "", 0)
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: registry.Certificate().Raw}))
	d := newDecoder(t, nil, func(c *value.Config) {
		asAvro(registry.URL)(c)
		c.SchemaRegistry.TLS = &trust.TLS{CA: config.NewSecret(authority)}
	})
	mustRow(t, d, old(framed(1, goodTea)))
	if _, err := newDecoder(t, nil, asAvro(registry.URL)).Decode(t.Context(), old(framed(1, goodTea))); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("it ended with %v", err)
	}
}
