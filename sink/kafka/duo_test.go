package kafka

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/config"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

const script = "../../scripts/kafka.sh"

// A duo is two brokers of this test alone, to be ended and to be asked who we are. The first
// alone votes. It starts with the first test that wants it.
type duo struct {
	dir      string
	brokers  []string
	password string // a listener that wants SASL
	mutual   string // one that wants TLS with a certificate
	both     string // one that wants TLS and SASL
	ca       *authority
}

var startDuo = sync.OnceValues(func() (*duo, error) {
	dir, err := os.MkdirTemp(os.Getenv("PICTIFYD_TEST_FOLDER"), "pictifyd-kafka-") // make test ends what a test leaves there
	if err != nil {
		return nil, err
	}
	o := &duo{dir: dir}
	started = o
	if o.ca, err = newAuthority(); err != nil {
		return o, err
	}
	server, err := o.ca.issue("broker")
	if err != nil {
		return o, err
	}
	const module = "org.apache.kafka.common.security."
	settings := strings.NewReplacer("DIR", dir, "MODULE.", module).Replace(`
listeners=LISTENERS,PASSWORD://127.0.0.1:PORT0,MUTUAL://127.0.0.1:PORT1,BOTH://127.0.0.1:PORT2
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PASSWORD:SASL_PLAINTEXT,MUTUAL:SSL,BOTH:SASL_SSL
listener.name.both.sasl.enabled.mechanisms=PLAIN
listener.name.both.plain.sasl.jaas.config=MODULE.plain.PlainLoginModule required user_alice="wonderland";
listener.name.both.ssl.keystore.type=PEM
listener.name.both.ssl.keystore.location=DIR/server.pem
listener.name.password.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.password.plain.sasl.jaas.config=MODULE.plain.PlainLoginModule required user_alice="wonderland";
listener.name.password.scram-sha-256.sasl.jaas.config=MODULE.scram.ScramLoginModule required;
listener.name.password.scram-sha-512.sasl.jaas.config=MODULE.scram.ScramLoginModule required;
listener.name.mutual.ssl.client.auth=required
listener.name.mutual.ssl.keystore.type=PEM
listener.name.mutual.ssl.keystore.location=DIR/server.pem
listener.name.mutual.ssl.truststore.type=PEM
listener.name.mutual.ssl.truststore.location=DIR/ca.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
`)
	for name, text := range map[string]string{"extra.properties": settings, "ca.pem": o.ca.pem, "server.pem": server.key + server.certificate} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return o, err
		}
	}
	if err := o.start("2"); err != nil {
		return o, err
	}
	ports, err := os.ReadFile(filepath.Join(dir, "1", "ports"))
	if err != nil {
		return o, err
	}
	all := strings.Fields(string(ports))
	o.password, o.mutual, o.both = "127.0.0.1:"+all[0], "127.0.0.1:"+all[1], "127.0.0.1:"+all[2]
	return o, nil
})

// mustDuo is the two brokers, both there.
func mustDuo(tb testing.TB) *duo {
	tb.Helper()
	mustBrokers(tb)
	if _, err := os.Stat("../../.cache/kafka"); errors.Is(err, fs.ErrNotExist) && os.Getenv("PICTIFYD_TEST_ALL") == "" {
		tb.Skip("there is no .cache/kafka: scripts/kafka.sh get brings it")
	}
	o, err := startDuo()
	if err != nil {
		tb.Fatalf("start brokers: %v", err)
	}
	return o
}

func (o *duo) run(args ...string) ([]byte, error) {
	out, err := exec.Command(script, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return out, err
}

func (o *duo) start(nodes ...string) error {
	out, err := o.run(append([]string{"start", o.dir}, nodes...)...)
	o.brokers = strings.Split(strings.TrimSpace(string(out)), ",")
	return err
}

func (o *duo) mustStart(tb testing.TB) {
	tb.Helper()
	if err := o.start(); err != nil {
		tb.Fatal(err)
	}
}

func (o *duo) mustKill(tb testing.TB, node string) {
	tb.Helper()
	if _, err := o.run("kill", o.dir, node); err != nil {
		tb.Fatal(err)
	}
}

// started is what TestMain ends.
var started *duo

func TestMain(m *testing.M) {
	code := m.Run()
	if started != nil {
		_, _ = started.run("stop", started.dir)
		os.RemoveAll(started.dir)
	}
	os.Exit(code)
}

// An authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         string
}

type pair struct{ certificate, key string }

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &authority{template, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}, nil
}

func (a *authority) issue(name string) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return pair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair{}, err
	}
	var certificate, secret bytes.Buffer
	pem.Encode(&certificate, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	pem.Encode(&secret, &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return pair{certificate.String(), secret.String()}, nil
}

// mustAllow lets the user do op with the topic.
func (c *cluster) mustAllow(tb testing.TB, user, topic string, ops ...segment.ACLOperationType) {
	tb.Helper()
	var entries []segment.ACLEntry
	for _, op := range ops {
		entries = append(entries, segment.ACLEntry{
			ResourceType: segment.ResourceTypeTopic, ResourceName: topic, ResourcePatternType: segment.PatternTypeLiteral,
			Principal: "User:" + user, Host: "*", Operation: op, PermissionType: segment.ACLPermissionTypeAllow,
		})
	}
	answer, err := c.client.CreateACLs(tb.Context(), &segment.CreateACLsRequest{ACLs: entries})
	if err == nil {
		err = errors.Join(answer.Errors...)
	}
	if err != nil {
		tb.Fatalf("allow %s to write %s: %v", user, topic, err)
	}
}

// mustReplicated makes a topic that both brokers have, four partitions of it.
func (c *cluster) mustReplicated(tb testing.TB, name string, setting string) string {
	tb.Helper()
	key, value, _ := strings.Cut(setting, "=")
	for ctx := limit(tb); ; {
		answer, err := c.client.CreateTopics(ctx, &segment.CreateTopicsRequest{Topics: []segment.TopicConfig{{
			Topic: name, NumPartitions: 4, ReplicationFactor: 2, ConfigEntries: []segment.ConfigEntry{{ConfigName: key, ConfigValue: value}},
		}}})
		if err == nil {
			err = answer.Errors[name]
		}
		if err == nil {
			return name
		}
		if ctx.Err() != nil {
			tb.Fatalf("create topic: %v", err)
		}
	}
}

func isReplication(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && strings.Contains(p.Message, "min.insync.replicas")
}

func salted256(password string, salt []byte) []byte {
	key, _ := pbkdf2.Key(sha256.New, password, salt, 4096, 32)
	return key
}

func salted512(password string, salt []byte) []byte {
	key, _ := pbkdf2.Key(sha512.New, password, salt, 4096, 64)
	return key
}

func TestBrokerThatWantsAPasswordGetsIt(t *testing.T) {
	o := mustDuo(t)
	c := newCluster(t, o.brokers)
	name := c.mustTopic(t, newName(), 1)
	salt := []byte("salt-of-the-test")
	answer, err := c.client.AlterUserScramCredentials(t.Context(), &segment.AlterUserScramCredentialsRequest{
		Upsertions: []segment.UserScramCredentialsUpsertion{
			{Name: "bob", Mechanism: segment.ScramMechanismSha256, Iterations: 4096, Salt: salt, SaltedPassword: salted256("builder", salt)},
			{Name: "carol", Mechanism: segment.ScramMechanismSha512, Iterations: 4096, Salt: salt, SaltedPassword: salted512("singer", salt)},
		},
	})
	if err != nil || answer.Results[0].Error != nil || answer.Results[1].Error != nil {
		t.Fatalf("make users: %v, %+v", err, answer)
	}
	with := func(mechanism, user, password string) *topic {
		return mustSink(t, newConfig([]string{o.password}, name, func(c *Config) {
			c.SASL = &wire.SASL{Mechanism: mechanism, User: user, Password: config.NewSecret(password)}
		}), nil)
	}
	for _, user := range []struct{ mechanism, name, password string }{
		{"plain", "alice", "wonderland"}, {"scram-sha-256", "bob", "builder"}, {"scram-sha-512", "carol", "singer"},
	} {
		s := with(user.mechanism, user.name, user.password)
		_, err := s.Deliver(limit(t), sinktest.Completed(user.name, 1))
		wantFault(t, err, Refused, "may not write")
		c.mustAllow(t, user.name, name, segment.ACLOperationTypeWrite, segment.ACLOperationTypeDescribe)
		mustEventually(t, s, sinktest.Completed(user.name, 1))

		_, err = with(user.mechanism, user.name, "not-the-password").Deliver(limit(t), sinktest.Completed(user.name, 2))
		wantFault(t, err, Refused, "refuses user or password")
		if strings.Contains(err.Error(), "not-the-password") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	_, err = mustSink(t, newConfig([]string{o.password}, name, nil), nil).Deliver(limit(t), sinktest.Completed("nobody", 1))
	wantFault(t, err, DeliveryFailed, "sasl")
	log := c.mustLog(t, name)
	if len(log) != 3 {
		t.Errorf("%d records, want 3", len(log))
	}
}

// mustEventually delivers d, which brokers are about to allow.
func mustEventually(tb testing.TB, s sink.Sink, d sink.Delivery) {
	tb.Helper()
	for ctx := limit(tb); ; {
		_, err := s.Deliver(ctx, d)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			tb.Fatalf("deliver: %v", err)
		}
	}
}

func TestBrokerThatWantsACertificateGetsItAndIsAskedForIts(t *testing.T) {
	o := mustDuo(t)
	c := newCluster(t, o.brokers)
	name := c.mustTopic(t, newName(), 1)
	c.mustAllow(t, "CN=alice", name, segment.ACLOperationTypeWrite, segment.ACLOperationTypeDescribe)
	alice, err := o.ca.issue("alice")
	if err != nil {
		t.Fatal(err)
	}
	with := func(tls *wire.TLS) *topic {
		return mustSink(t, newConfig([]string{o.mutual}, name, func(c *Config) { c.TLS = tls }), nil)
	}
	ca, certificate, key := config.NewSecret(o.ca.pem), config.NewSecret(alice.certificate), config.NewSecret(alice.key)
	mustEventually(t, with(&wire.TLS{CA: ca, Certificate: certificate, PrivateKey: key}), sinktest.Completed("a", 1))
	for says, tls := range map[string]*wire.TLS{
		"unknown authority": {Certificate: certificate, PrivateKey: key},
		"not.the.broker":    {CA: ca, Certificate: certificate, PrivateKey: key, ServerName: "not.the.broker"},
		"certificate":       {CA: ca},
	} {
		_, err := with(tls).Deliver(limit(t), sinktest.Completed("a", 2))
		wantFault(t, err, DeliveryFailed, says)
	}
	_, err = with(nil).Deliver(limit(t), sinktest.Completed("a", 3))
	wantFault(t, err, DeliveryFailed, "tls")
	c.mustAllow(t, "alice", name, segment.ACLOperationTypeWrite, segment.ACLOperationTypeDescribe)
	mustEventually(t, mustSink(t, newConfig([]string{o.both}, name, func(c *Config) {
		c.TLS, c.SASL = &wire.TLS{CA: ca}, &wire.SASL{Mechanism: "plain", User: "alice", Password: config.NewSecret("wonderland")}
	}), nil), sinktest.Completed("b", 1))
	if log := c.mustLog(t, name); len(log) != 2 {
		t.Errorf("%d records, want 2", len(log))
	}
}

func TestTooFewReplicasInSyncIsNoDelivery(t *testing.T) {
	o := mustDuo(t)
	c := newCluster(t, o.brokers)
	name := c.mustReplicated(t, newName(), "min.insync.replicas=2")
	s := mustSink(t, newConfig(o.brokers, name, func(c *Config) { c.Timeout = config.Duration(2 * time.Second) }), nil)
	mustEventually(t, s, sinktest.Completed("a", 1)) // the second is only beginning to follow
	o.mustKill(t, "2")
	var err error
	for ctx := limit(t); !isReplication(err) && ctx.Err() == nil; { // first it is only slow, or its leader is gone
		_, err = s.Deliver(ctx, sinktest.Completed("a", 2))
	}
	wantFault(t, err, NotReplicated, "min.insync.replicas")
	o.mustStart(t)
	mustEventually(t, s, sinktest.Completed("a", 2))
	wantOrder(t, c.mustLog(t, name), "cards/a", 2)
}

// The broker dies in the middle, with what it had; whoever leads then has all that was
// delivered.
func TestDeliveriesGoOnOverTheDeathOfABroker(t *testing.T) {
	o := mustDuo(t)
	c := newCluster(t, o.brokers)
	name := c.mustReplicated(t, newName(), "min.insync.replicas=1")
	s := mustSink(t, newConfig(o.brokers, name, func(c *Config) { c.Timeout = config.Duration(2 * time.Second) }), nil)
	const keys, newest = 8, 30
	delivered := map[int]int64{}
	failed := 0
	for round := 0; ; round++ {
		switch round {
		case 5:
			o.mustKill(t, "2")
		case 15:
			o.mustStart(t)
		}
		var ds []sink.Delivery
		for key := range keys {
			if delivered[key] < newest {
				ds = append(ds, sinktest.Completed(fmt.Sprint(key), delivered[key]+1))
			}
		}
		if len(ds) == 0 || round > 300 {
			break
		}
		for i, got := range s.DeliverAll(limit(t), ds) {
			var key int
			fmt.Sscan(ds[i].Key, &key)
			if got.Err == nil {
				delivered[key] = ds[i].Generation
			} else {
				failed++
			}
		}
	}
	log := c.mustLog(t, name)
	for key := range keys {
		wantOrder(t, log, fmt.Sprintf("cards/%d", key), newest)
	}
	if failed == 0 {
		t.Error("no delivery failed: the death was not noticed")
	}
	t.Logf("%d failed tries, %d records of %d", failed, len(log), keys*newest)
}

// wantOrder wants every generation up to newest, none behind a newer one.
func wantOrder(tb testing.TB, log []stored, key string, newest int) {
	tb.Helper()
	before, seen := 0, map[int]bool{}
	for _, r := range log {
		if r.key != key {
			continue
		}
		if r.generation() < before {
			tb.Errorf("%s: generation %d stands behind %d", key, r.generation(), before)
		}
		before = r.generation()
		seen[before] = true
	}
	if before != newest || len(seen) != newest {
		tb.Errorf("%s: the last of %d generations is %d, want %d of %d: %s", key, len(seen), before, newest, newest, generations(log, key))
	}
}
