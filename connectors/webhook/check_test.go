package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // a sender's choice
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/webhook"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// send has a source receive a body.
func send(tb testing.TB, r connectors.Receiver, h http.Header, body []byte) (connectors.Message, error) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, "/hooks/crm", bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header = h.Clone()
	return r.Receive(req)
}

// mustBe wants a call to be taken, or refused without a reason.
func mustBe(t *testing.T, what string, err error, taken bool) {
	t.Helper()
	var p *problem.Error
	switch {
	case taken && err != nil:
		t.Errorf("%s: refused: %v", what, err)
	case !taken && err == nil:
		t.Errorf("%s: taken", what)
	case !taken && (!errors.As(err, &p) || p.Code != problem.Unauthorized || p.Hint != "" || p.Path != ""):
		t.Errorf("%s: %#v, want no more than that it is refused", what, err)
	}
}

func mac(newFunc func() hash.Hash, secret, text string) []byte {
	m := hmac.New(newFunc, []byte(secret))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// verified is a source with another check.
func verified(v webhook.Verify) *webhook.Config {
	c := crm()
	c.Secret, c.Verify = nil, v
	return c
}

func TestClocksMayBeFiveMinutesApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := []byte(`[{"id":"a"}]`)
		h := http.Header{}
		sign(t, h, "msg_1", body)
		signed := time.Now()
		r := open(t, crm())
		for _, c := range []struct {
			at    time.Duration
			taken bool
		}{{0, true}, {5 * time.Minute, true}, {5*time.Minute + time.Second, false}, {1000 * time.Hour, false}} {
			time.Sleep(time.Until(signed.Add(c.at)))
			_, err := send(t, r, h, body)
			mustBe(t, fmt.Sprint("after ", c.at), err, c.taken)
		}
		for _, c := range []struct {
			ahead time.Duration
			taken bool
		}{{5 * time.Minute, true}, {5*time.Minute + time.Second, false}} {
			h := http.Header{"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {fmt.Sprint(time.Now().Add(c.ahead).Unix())}}
			key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
			h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac(sha256.New, string(key), "msg_1."+h.Get("webhook-timestamp")+"."+string(body))))
			_, err := send(t, r, h, body)
			mustBe(t, fmt.Sprint("ahead by ", c.ahead), err, c.taken)
		}
	})
}

func TestStandardWebhooksSignatures(t *testing.T) {
	body := []byte(`[{"id":"a"}]`)
	good := http.Header{}
	sign(t, good, "msg_1", body)
	for name, c := range map[string]struct {
		change func(h http.Header)
		taken  bool
	}{
		"as signed":             {func(http.Header) {}, true},
		"another one before it": {func(h http.Header) { h.Set("webhook-signature", "v1,AAAA v1a,BBBB "+h.Get("webhook-signature")) }, true},
		"another one behind it": {func(h http.Header) { h.Set("webhook-signature", h.Get("webhook-signature")+" v1,AAAA") }, true},
		"another id":            {func(h http.Header) { h.Set("webhook-id", "msg_2") }, false},
		"no id":                 {func(h http.Header) { h.Del("webhook-id") }, false},
		"no time":               {func(h http.Header) { h.Del("webhook-timestamp") }, false},
		"another time":          {func(h http.Header) { h.Set("webhook-timestamp", fmt.Sprint(time.Now().Unix()-1)) }, false},
		"time in words":         {func(h http.Header) { h.Set("webhook-timestamp", "now") }, false},
		"time beyond numbers":   {func(h http.Header) { h.Set("webhook-timestamp", "99999999999999999999") }, false},
		"time as a fraction":    {func(h http.Header) { h.Set("webhook-timestamp", h.Get("webhook-timestamp")+".0") }, false},
		"no signature":          {func(h http.Header) { h.Del("webhook-signature") }, false},
		"empty signature":       {func(h http.Header) { h.Set("webhook-signature", "v1,") }, false},
		"another version":       {func(h http.Header) { h.Set("webhook-signature", "v2"+h.Get("webhook-signature")[2:]) }, false},
		"without its version":   {func(h http.Header) { h.Set("webhook-signature", h.Get("webhook-signature")[3:]) }, false},
		"cut":                   {func(h http.Header) { h.Set("webhook-signature", h.Get("webhook-signature")[:20]) }, false},
	} {
		h := good.Clone()
		c.change(h)
		_, err := send(t, open(t, crm()), h, body)
		mustBe(t, name, err, c.taken)
	}
}

func TestBothSecretsAreGoodWhileTheyAreChanged(t *testing.T) {
	body := []byte(`[{"id":"a"}]`)
	h := http.Header{}
	sign(t, h, "msg_1", body)
	c := crm()
	c.Secret = secrets("whsec_bmV3LXNlY3JldC1vZi10aGUtY3Jt", secret)
	_, err := send(t, open(t, c), h, body)
	mustBe(t, "the older of two", err, true)
	c.Secret = c.Secret[:1]
	_, err = send(t, open(t, c), h, body)
	mustBe(t, "the older when it is no more", err, false)
}

// The example of GitHub's documentation on validating deliveries.
func TestGitHubsExample(t *testing.T) {
	c := verified(webhook.Verify{GitHub: secrets("It's a Secret to Everybody")})
	h := http.Header{"X-Hub-Signature-256": {"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}}
	if _, err := send(t, open(t, c), h, []byte("Hello, World!")); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("got %v, want a body that is genuine and no JSON", err)
	}
	_, err := send(t, open(t, c), h, []byte("Hello, World?"))
	mustBe(t, "changed", err, false)
}

func TestGitHubNamesTheDelivery(t *testing.T) {
	const body = `{"id":"a"}`
	c := verified(webhook.Verify{GitHub: secrets("github-secret")})
	h := http.Header{
		"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac(sha256.New, "github-secret", body))},
		"X-Github-Delivery":   {"72d3162e-cc78-11e3-81ab-4c9367dc0958"},
	}
	m, err := send(t, open(t, c), h, []byte(body))
	mustBe(t, "signed", err, true)
	if m.ID != "72d3162e-cc78-11e3-81ab-4c9367dc0958" || len(m.Rows) != 1 {
		t.Errorf("message is %+v", m)
	}
	for name, value := range map[string]string{
		"none": "", "without prefix": strings.TrimPrefix(h.Get("X-Hub-Signature-256"), "sha256="), "sha1": "sha1=" + hex.EncodeToString(mac(sha1.New, "github-secret", body)),
		"short": h.Get("X-Hub-Signature-256")[:60], "longer": h.Get("X-Hub-Signature-256") + "00", "not hex": h.Get("X-Hub-Signature-256")[:70] + "x",
	} {
		_, err := send(t, open(t, c), http.Header{"X-Hub-Signature-256": {value}}, []byte(body))
		mustBe(t, name, err, false)
	}
}

func TestStripeSignsTheTimeAndTheBody(t *testing.T) {
	const body = `{"id":"evt_1","object":"event","created":1492774577,"data":{"object":{"id":"cus_1"}}}`
	synctest.Test(t, func(t *testing.T) {
		c := verified(webhook.Verify{Stripe: secrets("whsec_new_of_stripe", "whsec_old_of_stripe")})
		c.Rows = "$.data.object"
		now := fmt.Sprint(time.Now().Unix())
		v1 := "v1=" + hex.EncodeToString(mac(sha256.New, "whsec_old_of_stripe", now+"."+body))
		forged := "v1=" + strings.Repeat("00", 32)
		for name, one := range map[string]struct {
			header string
			taken  bool
		}{
			"as documented":   {"t=" + now + "," + v1 + ",v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39", true},
			"several":         {"t=" + now + "," + forged + "," + v1, true},
			"spaces":          {"t=" + now + ", " + v1, true},
			"only a fake one": {"t=" + now + "," + forged, false},
			"only v0":         {"t=" + now + "," + strings.Replace(v1, "v1", "v0", 1), false},
			"no time":         {v1, false},
			"another time":    {"t=" + fmt.Sprint(time.Now().Unix()-1) + "," + v1, false},
			"nothing":         {"", false},
			"two times":       {"t=1," + v1 + ",t=" + now, true}, // the last one counts, and is the one that was signed
		} {
			m, err := send(t, open(t, c), http.Header{"Stripe-Signature": {one.header}}, []byte(body))
			mustBe(t, name, err, one.taken)
			if one.taken && (m.ID != "evt_1" || len(m.Rows) != 1 || m.Rows[0].Key[0] != "cus_1") {
				t.Errorf("%s: message is %+v", name, m)
			}
		}
		time.Sleep(5*time.Minute + time.Second)
		_, err := send(t, open(t, c), http.Header{"Stripe-Signature": {"t=" + now + "," + v1}}, []byte(body))
		mustBe(t, "old", err, false)
	})
}

func TestStripeEventWithoutAnID(t *testing.T) {
	const body = `{"data":{"object":{"id":"cus_1"}}}`
	now := fmt.Sprint(time.Now().Unix())
	h := http.Header{"Stripe-Signature": {"t=" + now + ",v1=" + hex.EncodeToString(mac(sha256.New, "whsec_stripe", now+"."+body))}}
	if _, err := send(t, open(t, verified(webhook.Verify{Stripe: secrets("whsec_stripe")})), h, []byte(body)); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("got %v, want a body that could not be known again", err)
	}
}

func TestHMACInOtherForms(t *testing.T) {
	const body, key = `{"id":"a"}`, "shop-secret"
	for name, c := range map[string]struct {
		how   webhook.HMAC
		given string
	}{
		"hex by default":        {webhook.HMAC{}, hex.EncodeToString(mac(sha256.New, key, body))},
		"base64, as a shop has": {webhook.HMAC{Encoding: "base64"}, base64.StdEncoding.EncodeToString(mac(sha256.New, key, body))},
		"SHA-512":               {webhook.HMAC{Algorithm: "sha512"}, hex.EncodeToString(mac(sha512.New, key, body))},
		"SHA-1 with prefix":     {webhook.HMAC{Algorithm: "sha1", Prefix: "sha1="}, "sha1=" + hex.EncodeToString(mac(sha1.New, key, body))},
	} {
		c.how.Header, c.how.Secret = "X-Shop-Signature", secrets("another one", key)
		source := verified(webhook.Verify{HMAC: &c.how})
		source.ID = `headers["x-shop-id"]`
		h := http.Header{"X-Shop-Signature": {c.given}, "X-Shop-Id": {"b54557e4"}}
		m, err := send(t, open(t, source), h, []byte(body))
		mustBe(t, name, err, true)
		if m.ID != "b54557e4" {
			t.Errorf("%s: id %q", name, m.ID)
		}
		_, err = send(t, open(t, source), h, []byte(body+" "))
		mustBe(t, name+", one byte more", err, false)
		h.Del("X-Shop-Id")
		if _, err := send(t, open(t, source), h, []byte(body)); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%s: %v, want that an id is missing", name, err)
		}
	}
}

func TestBearerAndBasic(t *testing.T) {
	bearer := verified(webhook.Verify{Bearer: secrets("new-token", "old-token")})
	basic := verified(webhook.Verify{Basic: &webhook.Basic{User: "crm", Password: secrets("pass word:ä")}})
	encoded := base64.StdEncoding.EncodeToString([]byte("crm:pass word:ä"))
	for _, c := range []struct {
		source *webhook.Config
		header string
		taken  bool
	}{
		{bearer, "Bearer new-token", true}, {bearer, "bearer old-token", true}, {bearer, "Bearer new-toke", false},
		{bearer, "Bearer new-token2", false}, {bearer, "Bearer ", false}, {bearer, "", false}, {bearer, "Basic new-token", false},
		{basic, "Basic " + encoded, true}, {basic, "Basic " + base64.StdEncoding.EncodeToString([]byte("crm:pass")), false},
		{basic, "Bearer " + encoded, false}, {basic, "Basic", false},
	} {
		_, err := send(t, open(t, c.source), http.Header{"Authorization": {c.header}}, []byte(`{"id":"a"}`))
		mustBe(t, c.header, err, c.taken)
	}
}

func TestConfigurationThatCannotWork(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *webhook.Config)
		path   string
		words  string
	}{
		"no check":          {func(c *webhook.Config) { c.Secret = nil }, "", "nothing says who may call POST /hooks/crm"},
		"two checks":        {func(c *webhook.Config) { c.Verify.GitHub = secrets("long enough") }, "verify.github", "secret and verify.github"},
		"open as well":      {func(c *webhook.Config) { c.Open = true }, "open", "several ways"},
		"empty secret":      {func(c *webhook.Config) { c.Secret = secrets("") }, "secret", "0 characters"},
		"no secret in list": {func(c *webhook.Config) { c.Secret = config.Secrets{} }, "secret", "no secret"},
		"short old secret":  {func(c *webhook.Config) { c.Secret = secrets(secret, "short") }, "secret", "5 characters"},
		"no base64":         {func(c *webhook.Config) { c.Secret = secrets("whsec_not base64") }, "secret", "not base64"},
		"no path":           {func(c *webhook.Config) { c.Path = "" }, "path", "needs a path"},
		"two segments":      {func(c *webhook.Config) { c.Path = "a/b" }, "path", "last part"},
		"dots":              {func(c *webhook.Config) { c.Path = ".." }, "path", "last part"},
		"no key":            {func(c *webhook.Config) { c.Key = nil }, "key", "needs key columns"},
		"key beside one":    {func(c *webhook.Config) { c.One = "current" }, "key", `the key "current"`},
		"polled":            {func(c *webhook.Config) { c.Every = 1e9 }, "every", "never polled"},
		"rows path":         {func(c *webhook.Config) { c.Rows = "records" }, "rows", "not a path"},
		"version":           {func(c *webhook.Config) { c.Version = "updated_at +" }, "version", ""},
		"clock":             {func(c *webhook.Config) { c.Version = "now()" }, "version", "reads the clock"},
		"when of a row":     {func(c *webhook.Config) { c.When = "id > 1" }, "when", "id"},
		"size":              {func(c *webhook.Config) { c.MaxSize = 0 }, "max_size", "more than 0"},
		"refresh with rows": {func(c *webhook.Config) { c.Refresh, c.Rows = "shop", "$.x" }, "rows", "read again"},
		"refresh with key":  {func(c *webhook.Config) { c.Refresh = "shop" }, "key", "read again"},
		"user with colon": {func(c *webhook.Config) {
			c.Secret, c.Verify.Basic = nil, &webhook.Basic{User: "a:b", Password: secrets("long enough")}
		}, "verify.basic.user", "colon"},
		"no password": {func(c *webhook.Config) { c.Secret, c.Verify.Basic = nil, &webhook.Basic{User: "a"} }, "verify.basic.password", "no secret"},
		"HMAC without header": {func(c *webhook.Config) {
			c.Secret, c.Verify.HMAC = nil, &webhook.HMAC{Secret: secrets("long enough")}
		}, "verify.hmac.header", "header"},
		"HMAC of MD5": {func(c *webhook.Config) {
			c.Secret, c.Verify.HMAC = nil, &webhook.HMAC{Header: "X-Sig", Secret: secrets("long enough"), Algorithm: "md5"}
		}, "verify.hmac.algorithm", "md5"},
		"HMAC in base32": {func(c *webhook.Config) {
			c.Secret, c.Verify.HMAC = nil, &webhook.HMAC{Header: "X-Sig", Secret: secrets("long enough"), Encoding: "base32"}
		}, "verify.hmac.encoding", "base32"},
	} {
		cfg := crm()
		c.change(cfg)
		err := cfg.Validate()
		if err == nil {
			t.Errorf("%s: no problem", name)
			continue
		}
		p := problem.All(err)[0]
		if p.Path != c.path || !strings.Contains(p.Message, c.words) {
			t.Errorf("%s: %v, want it at %q with %q", name, p, c.path, c.words)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s shows a secret: %v", name, err)
		}
	}
}
