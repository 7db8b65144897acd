package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// TLS is with what certificate the server answers. Both files are read again when
// they change, so that a renewal needs no restart.
type TLS struct {
	Cert string `yaml:"cert"` // a file in PEM: the certificate, then those that lead to its root
	Key  string `yaml:"key"`  // a file in PEM
}

// On reports whether the server answers over TLS.
func (c TLS) On() bool { return c.Cert != "" || c.Key != "" }

func (c TLS) validate() problem.List {
	var list problem.List
	for _, one := range []struct{ name, path, other string }{{"cert", c.Cert, c.Key}, {"key", c.Key, c.Cert}} {
		if one.path == "" && one.other != "" {
			list = append(list, problem.New(problem.Invalid, "a certificate and its key come together").
				At("tls."+one.name).WithHint("write tls: { cert: fullchain.pem, key: privkey.pem }"))
		}
	}
	return list
}

// Resolved is the section with its files seen from dir.
func (c TLS) Resolved(dir string) TLS {
	for _, path := range []*string{&c.Cert, &c.Key} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	return c
}

// Check reads the files, and returns until when the certificate is good.
func (c TLS) Check() (notAfter time.Time, err error) {
	pair, err := c.load()
	if err != nil {
		return time.Time{}, err
	}
	return pair.Leaf.NotAfter, nil
}

// load is the pair of the files. Its error names the file at fault and shows
// nothing of what is in it.
func (c TLS) load() (*tls.Certificate, error) {
	unusable := func(path, name string, err error) error {
		return problem.New(problem.Surroundings, "the %s of TLS cannot be used: %s: %w", name, path, err).At("server.tls." + name).
			WithHint("let this user read PEM files of one certificate and its key")
	}
	cert, err := os.ReadFile(c.Cert)
	if err != nil {
		return nil, unusable(c.Cert, "cert", unnamed(err))
	}
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return nil, unusable(c.Key, "key", unnamed(err))
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, unusable(c.Cert+" with "+c.Key, "cert", err)
	}
	if pair.Leaf == nil {
		pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0])
	}
	return &pair, err
}

// unnamed is the cause alone of an error of a file that is named already.
func unnamed(err error) error {
	if of, ok := err.(*fs.PathError); ok { //nolint:errorlint // os returns it as it is
		return of.Err
	}
	return err
}

// certEvery is how often a connection has the files looked at.
const certEvery = time.Second

// A renewable is the pair of a TLS section as it is now. Files that cannot be
// used leave the one before in its place: of two files that are replaced, one is
// the first.
type renewable struct {
	files TLS

	mu     sync.Mutex
	pair   *tls.Certificate
	seen   [2]fileState // of the files when they were read
	looked time.Time
	log    *slog.Logger // nil until somebody serves
	said   string       // the error that was logged last
}

// A fileState differs where a file may have changed.
type fileState struct {
	changed time.Time
	size    int64
}

func newRenewable(files TLS) (*renewable, error) {
	c := &renewable{files: files, looked: time.Now(), seen: statesOf(files)}
	var err error
	c.pair, err = files.load()
	return c, err
}

func statesOf(files TLS) (all [2]fileState) {
	for i, path := range []string{files.Cert, files.Key} {
		if info, err := os.Stat(path); err == nil {
			all[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return all
}

// get is the pair for a new connection.
func (c *renewable) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= certEvery {
		c.looked = now
		c.look()
	}
	return c.pair, nil
}

func (c *renewable) look() {
	state := statesOf(c.files)
	if state == c.seen {
		return
	}
	pair, err := c.files.load()
	switch {
	case err == nil:
		c.pair, c.seen, c.said = pair, state, ""
		c.tell(slog.LevelInfo, "certificate read again", slog.Time("until", pair.Leaf.NotAfter))
	case c.said != err.Error():
		c.said = err.Error()
		c.tell(slog.LevelError, "certificate refused, the one before stays", slog.Any("err", err), slog.Time("until", c.pair.Leaf.NotAfter))
	}
}

func (c *renewable) tell(level slog.Level, message string, facts ...slog.Attr) {
	if c.log != nil {
		c.log.LogAttrs(context.Background(), level, message, facts...)
	}
}

// A secured listener speaks TLS with whoever calls. It is the listener below in
// all else, so that it can be lent.
type secured struct {
	*net.TCPListener
	certificate *renewable
	config      *tls.Config
}

func newSecured(l *net.TCPListener, files TLS) (*secured, error) {
	c, err := newRenewable(files)
	if err != nil {
		return nil, err
	}
	return &secured{l, c, &tls.Config{
		GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}}, nil
}

// Accept returns at once: whoever serves the connection shakes hands.
func (l *secured) Accept() (net.Conn, error) {
	c, err := l.TCPListener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(c, l.config), nil
}

// logsTo has a listener of Listen tell of its certificate.
func logsTo(l net.Listener, log *slog.Logger) {
	if s, ok := l.(*secured); ok {
		s.certificate.mu.Lock()
		defer s.certificate.mu.Unlock()
		s.certificate.log = log
	}
}
