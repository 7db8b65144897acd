package kafka

import (
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestValidateNamesEverySettingThatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`brokers: ["a:9092"]`:                                                                             "topic",
		`topic: t`:                                                                                        "brokers",
		`{ brokers: [a], topic: t }`:                                                                      "brokers[0]",
		`{ brokers: ["a:1", ":9092"], topic: t }`:                                                         "brokers[1]",
		`{ brokers: ["a:0"], topic: t }`:                                                                  "brokers[0]",
		`{ brokers: ["a:1"], topic: "a b" }`:                                                              "topic",
		`{ brokers: ["a:1"], topic: .. }`:                                                                 "topic",
		`{ brokers: ["a:1"], topic: t, compression: rar }`:                                                "compression",
		`{ brokers: ["a:1"], topic: t, timeout: 0s }`:                                                     "timeout",
		`{ brokers: ["a:1"], topic: t, events: [a] }`:                                                     "events[0]",
		`{ brokers: ["a:1"], topic: t, key: kee }`:                                                        "key",
		`{ brokers: ["a:1"], topic: t, key: "{{ key }}" }`:                                                "key",
		`{ brokers: ["a:1"], topic: t, value: { a: b } }`:                                                 "value.a",
		`{ brokers: ["a:1"], topic: t, headers: { id: a } }`:                                              "headers.id",
		`{ brokers: ["a:1"], topic: t, headers: { a: "{{ b }}" } }`:                                       "headers.a",
		`{ brokers: ["a:1"], topic: t, include_row: true, value: { a: url } }`:                            "include_row",
		`{ brokers: ["a:1"], topic: t, create: { partitions: -1 } }`:                                      "create.partitions",
		`{ brokers: ["a:1"], topic: t, tls: { ca: nothing } }`:                                            "tls.ca",
		`{ brokers: ["a:1"], topic: t, tls: { private_key: a } }`:                                         "tls.private_key",
		`{ brokers: ["a:1"], topic: t, tls: { certificate: a } }`:                                         "tls.certificate",
		`{ brokers: ["a:1"], topic: t, tls: { certificate: a, private_key: b } }`:                         "tls.certificate",
		`{ brokers: ["a:1"], topic: t, sasl: { user: a, password: b } }`:                                  "sasl.mechanism",
		`{ brokers: ["a:1"], topic: t, sasl: { mechanism: plain, password: b } }`:                         "sasl.user",
		`{ brokers: ["a:1"], topic: t, sasl: { mechanism: scram-sha-512, user: a } }`:                     "sasl.password",
		`{ brokers: ["a:1"], topic: t, sasl: { mechanism: scram-sha-256, user: "\u0007", password: b } }`: "sasl.user",
	} {
		problems := problem.All(decode(t, text))
		if len(problems) != 1 || problems[0].Path != want {
			t.Errorf("%s: %v, want one problem of %s", text, problems, want)
		}
	}
	for _, text := range []string{
		`{ brokers: ["a:1", "[::1]:2"], topic: a.b_c-D, create: {}, tls: {}, key: row.sku, value: { a: outputs }, headers: { x: "a {{ key }}" }, compression: lz4 }`,
	} {
		if err := decode(t, text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func decode(tb testing.TB, text string) error {
	tb.Helper()
	node, err := config.Parse("pictifyd.yaml", []byte(text), config.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return node.Decode(Kind.Config())
}

// What is given without a word about its inside is there all the same.
func TestEmptySectionsAreThere(t *testing.T) {
	node, err := config.Parse("pictifyd.yaml", []byte(`{ brokers: ["a:1"], topic: t, create: {}, tls: {} }`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := Kind.Config().(*Config)
	if err := node.Decode(c); err != nil || c.Create == nil || c.TLS == nil || c.SASL != nil {
		t.Errorf("create %v, tls %v, sasl %v, %v", c.Create, c.TLS, c.SASL, err)
	}
}
