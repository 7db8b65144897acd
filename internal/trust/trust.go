// Package trust is how sources and sinks know whom they speak to over TLS, and say who they are.
package trust

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// TLS is the part of a configuration that is about TLS.
type TLS struct {
	CA          config.Secret `yaml:"ca"`          // whom to trust; none: whom the machine trusts
	Certificate config.Secret `yaml:"certificate"` // ours, for receivers that ask for one
	PrivateKey  config.Secret `yaml:"private_key"`
	ServerName  string        `yaml:"server_name"` // on the receivers' certificates; none: the host that is dialled
}

// Validate reports what is no certificate or no key.
func (t *TLS) Validate() error {
	_, err := t.Client()
	return err
}

// Client is t as a client has it; nil is what the machine says.
func (t *TLS) Client() (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
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

// For refuses a TLS of one's own on the one way out that callers have.
func (t *TLS) For(callers *http.Client) error {
	if t == nil || callers == nil {
		return nil
	}
	return problem.New(problem.Invalid, "is for the sinks of pictifyd.yaml").At("tls").
		WithHint("leave it out: what callers make trusts whom the machine trusts")
}
