package kafka

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// TLS is how the brokers are known, and how they know us. All are PEM, and may be
// files: ca_file.
type TLS struct {
	CA          config.Secret `yaml:"ca"`          // whom to trust; none: whom the machine trusts
	Certificate config.Secret `yaml:"certificate"` // ours, for brokers that ask for one
	PrivateKey  config.Secret `yaml:"private_key"`
	ServerName  string        `yaml:"server_name"` // on the brokers' certificates; none: the host that is dialled
}

// Validate reports what is no certificate or no key.
func (t *TLS) Validate() error {
	_, err := t.client()
	return err
}

func (t *TLS) client() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if !t.CA.IsZero() {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(t.CA.Reveal())) {
			return nil, problem.New(problem.Invalid, "holds no certificate").At("ca").WithHint("it is the text of a PEM file; ca_file names the file")
		}
	}
	switch {
	case t.Certificate.IsZero() && t.PrivateKey.IsZero():
	case t.Certificate.IsZero():
		return nil, problem.New(problem.Invalid, "stands without a certificate").At("private_key")
	case t.PrivateKey.IsZero():
		return nil, problem.New(problem.Invalid, "stands without a private_key").At("certificate")
	default:
		pair, err := tls.X509KeyPair([]byte(t.Certificate.Reveal()), []byte(t.PrivateKey.Reveal()))
		if err != nil {
			return nil, problem.New(problem.Invalid, "is not a pair with private_key: %w", err).At("certificate")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// SASL is who we are.
type SASL struct {
	Mechanism string        `yaml:"mechanism"` // plain, scram-sha-256 or scram-sha-512
	User      string        `yaml:"user"`
	Password  config.Secret `yaml:"password"`
}

// Validate reports what is missing.
func (s *SASL) Validate() error {
	var problems problem.List
	if _, err := s.client(); err != nil {
		problems = append(problems, problem.All(err)...)
	}
	if s.User == "" {
		problems = append(problems, problem.New(problem.Invalid, "is missing").At("user"))
	}
	if s.Password.IsZero() {
		problems = append(problems, problem.New(problem.Invalid, "is missing").At("password"))
	}
	return problems.Err()
}

func (s *SASL) client() (sasl.Mechanism, error) {
	var mechanism sasl.Mechanism
	var err error
	switch s.Mechanism {
	case "plain":
		mechanism = plain.Mechanism{Username: s.User, Password: s.Password.Reveal()}
	case "scram-sha-256":
		mechanism, err = scram.Mechanism(scram.SHA256, s.User, s.Password.Reveal())
	case "scram-sha-512":
		mechanism, err = scram.Mechanism(scram.SHA512, s.User, s.Password.Reveal())
	default:
		return nil, problem.New(problem.Invalid, "%q is not a mechanism", s.Mechanism).At("mechanism").WithHint("there are plain, scram-sha-256 and scram-sha-512")
	}
	if err != nil { // a text that SASL has no form of; it may quote it
		return nil, problem.New(problem.Invalid, "user or password hold what SASL does not allow").At("user")
	}
	return mechanism, nil
}
