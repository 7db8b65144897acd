package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	// relayPatience is how long a request waits for a process that can answer it:
	// as long as another one takes to follow one that is gone.
	relayPatience = 10 * time.Second
	relayAgain    = 250 * time.Millisecond

	// relayHeader says for whom a request was handed on, and that it was.
	relayHeader = "Pictifyd-Relay"
	// awayHeader is on answers of those who cannot answer, and did nothing.
	awayHeader = "Pictifyd-Away"
	// relayValid is how far the clocks of two processes may be apart.
	relayValid = 2 * time.Minute

	slugNotHere         = "not_here"
	slugNoHolder        = "no_holder"
	slugHolderLost      = "holder_lost"
	slugHolderUntrusted = "holder_untrusted"
)

// errMoved ends a request that is with a process which has not the ledger any more.
var errMoved = errors.New("the ledger has another holder")

// A Relay hands requests on to the process that holds the ledger, with the caller's
// headers and as they come. While none answers they wait, as long as their body was
// not begun.
type Relay struct {
	key   []byte
	name  string
	log   *slog.Logger
	proxy *httputil.ReverseProxy

	mu     sync.Mutex
	holder *url.URL
	moved  chan struct{} // closed when there is another holder
	said   string        // of a holder that is not trusted, what was logged last
}

// NewRelay makes one that nobody was named to yet. key is the ledger's: by it the
// holder knows that a request was handed on. name is what the certificates of holders
// with TLS are for.
func NewRelay(key, name string, log *slog.Logger) *Relay {
	l := &Relay{key: []byte(key), name: name, log: log, moved: make(chan struct{})}
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       time.Minute,
		TLSHandshakeTimeout:   5 * time.Second,
		ExpectContinueTimeout: 5 * time.Second, // then the body goes all the same
		DisableCompression:    true,
		TLSClientConfig:       &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12},
	}
	l.proxy = &httputil.ReverseProxy{
		Rewrite:       l.rewrite,
		Transport:     &passing{relay: l, next: transport},
		FlushInterval: -1,
		ModifyResponse: func(res *http.Response) error {
			res.Header.Del(hstsHeader) // it is for whoever the client came to, who has said it
			return nil
		},
		ErrorHandler: l.failed,
		ErrorLog:     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return l
}

// SetHolder names the process that holds the ledger: where it listens, as host:port or
// with a scheme; "" is none.
func (l *Relay) SetHolder(address string) error {
	var to *url.URL
	if address != "" {
		if !strings.Contains(address, "://") {
			address = "http://" + address
		}
		var err error
		if to, err = url.Parse(address); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if (to == nil) == (l.holder == nil) && (to == nil || *to == *l.holder) {
		return nil
	}
	l.holder = to
	close(l.moved)
	l.moved = make(chan struct{})
	return nil
}

// at is the holder, nil for none, and what is closed when it is another.
func (l *Relay) at() (holder *url.URL, moved <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holder, l.moved
}

func (l *Relay) rewrite(p *httputil.ProxyRequest) {
	p.Out.Host = p.In.Host // the holder judges it as if it had come there
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := p.In.Header.Values(name); len(values) > 0 {
			p.Out.Header[name] = values
		}
	}
	p.Out.Header.Set(relayHeader, sealRelay(l.key, p.In.RemoteAddr, isSecure(p.In), time.Now()))
	if p.Out.Body != nil && p.Out.Body != http.NoBody {
		p.Out.Header.Set("Expect", "100-continue")
	}
	p.Out.URL.Scheme, p.Out.URL.Host = "http", "holder" // set when there is one
	p.Out.URL.RawQuery = p.In.URL.RawQuery              // addresses are signed as they are sent
}

// ServeHTTP hands a request on, unless that was done before: nobody does it twice.
func (l *Relay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(relayHeader) != "" {
		w.Header().Set(awayHeader, "1")
		secure(w.Header())
		refuseAlone(w, r, problem.New(problem.Overloaded, "this request was handed on to this process, which does not hold the ledger any more").
			WithSlug(slugNoHolder).WithHint("ask again"))
		return
	}
	l.proxy.ServeHTTP(w, r)
}

// failed answers for a holder that did not.
func (l *Relay) failed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody reads it
	}
	p := problem.New(problem.Overloaded, "the process that answered this request is gone, and what it did may have been kept or not: %w", err).
		WithSlug(slugHolderLost).WithHint("look whether it was done, or send it again under the same Idempotency-Key")
	if known := (*problem.Error)(nil); errors.As(err, &known) {
		p = known
	}
	secure(w.Header())
	refuseAlone(w, r, p)
}

// passing takes a request to the holder, and to the next one as long as it was not begun.
type passing struct {
	relay *Relay
	next  http.RoundTripper
}

func (p *passing) RoundTrip(r *http.Request) (*http.Response, error) {
	body := &begunBody{ReadCloser: r.Body}
	patience := time.NewTimer(relayPatience)
	defer patience.Stop()
	again := time.NewTimer(0)
	defer again.Stop()
	var last error
	for {
		_, moved := p.relay.at()
		select {
		case <-again.C:
		case <-moved:
		case <-patience.C:
			return nil, noHolder(last)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		if holder, moved := p.relay.at(); holder != nil {
			var reached atomic.Bool
			res, err := p.once(r, body, holder, moved, &reached)
			if err == nil && !(isAway(res) && !body.begun.Load()) {
				return res, nil
			}
			if err != nil && !reached.Load() && isUntrusted(err) {
				return nil, p.relay.untrusted(holder, err)
			}
			if err != nil && !mayAgain(r, body, reached.Load()) {
				return nil, err
			}
			if err == nil {
				_ = res.Body.Close()
				err = errors.New("it stands by")
			}
			last = err
		}
		again.Reset(relayAgain)
	}
}

// once asks one holder. The request, and the reading of its answer, end when there is
// another one: one that is frozen would never say so. reached is set once there is a
// connection, its handshake done: before that nothing of the request is sent. A connection
// that turns out to be closed is followed by another one as long as nothing was sent.
func (p *passing) once(r *http.Request, body *begunBody, holder *url.URL, moved <-chan struct{}, reached *atomic.Bool) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { reached.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { reached.Store(true) },
	}))
	stop := make(chan struct{})
	go func() {
		select {
		case <-moved:
			cancel(errMoved)
		case <-stop:
		case <-ctx.Done():
		}
	}()
	end := sync.OnceFunc(func() { close(stop); cancel(nil) })
	out := r.Clone(ctx)
	to := *r.URL
	to.Scheme, to.Host = holder.Scheme, holder.Host
	out.URL = &to
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = body
	}
	res, err := p.next.RoundTrip(out)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && r.Context().Err() == nil {
			err = cause
		}
		end()
		return nil, err
	}
	res.Body = &endedBody{ReadCloser: res.Body, end: end}
	return res, nil
}

// mayAgain reports whether a request that ended with an error did nothing for sure, or
// may be done twice.
func mayAgain(r *http.Request, body *begunBody, reached bool) bool {
	if r.Context().Err() != nil || body.begun.Load() {
		return false
	}
	return !reached || r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

// isUntrusted reports whether whoever answered could not show that it is the holder.
// Time does not cure that, and nothing was sent.
func isUntrusted(err error) bool {
	var refused *tls.CertificateVerificationError
	var other tls.RecordHeaderError // it speaks no TLS
	return errors.As(err, &refused) || errors.As(err, &other)
}

// untrusted is the answer for that, which the log has once.
func (l *Relay) untrusted(holder *url.URL, err error) error {
	p := problem.New(problem.Upstream, "the process that holds the ledger, at %s, was not believed, and nothing was sent to it: %w", holder.Host, err).WithSlug(slugHolderUntrusted).
		WithHint("its server.tls needs a certificate for %q, the name of server.public_url, of an authority that this machine trusts (or that SSL_CERT_FILE names)", l.name)
	l.mu.Lock()
	said := l.said
	l.said = p.Error()
	l.mu.Unlock()
	if said != p.Error() {
		l.log.Error("requests cannot be handed on", slog.Any("err", p))
	}
	return p
}

func isAway(res *http.Response) bool {
	return res.StatusCode == http.StatusServiceUnavailable && res.Header.Get(awayHeader) != ""
}

func noHolder(last error) error {
	if last == nil {
		last = errors.New("none is known")
	}
	return problem.New(problem.Overloaded, "no process holds the ledger, and this request was begun nowhere: %w", last).WithSlug(slugNoHolder).
		WithHint("ask again; where it lasts, see whether a process with the role connect runs")
}

// A begunBody is the body of a request, of which it is known whether it was begun.
type begunBody struct {
	io.ReadCloser
	begun atomic.Bool
}

// Read implements io.Reader.
func (b *begunBody) Read(p []byte) (int, error) {
	b.begun.Store(true)
	return b.ReadCloser.Read(p)
}

// Close leaves the body open for the next try: whoever has the request closes it.
func (b *begunBody) Close() error { return nil }

type endedBody struct {
	io.ReadCloser
	end func()
}

func (b *endedBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// Write lets the other direction of a connection that was upgraded go on.
func (b *endedBody) Write(p []byte) (int, error) {
	w, ok := b.ReadCloser.(io.Writer)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return w.Write(p)
}

// sealRelay is the header of a request that is handed on for whoever calls from client,
// by https or not.
func sealRelay(key []byte, client string, secure bool, now time.Time) string {
	text := client + " " + strconv.FormatInt(now.Unix(), 10) + " " + strconv.FormatBool(secure)
	return text + " " + relayMAC(key, text)
}

func relayMAC(key []byte, text string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("relay " + text))
	return hex.EncodeToString(mac.Sum(nil))
}

// relayed is r as its client sent it to the process that handed it on, if somebody with
// the key says so.
func relayed(key []byte, r *http.Request, now time.Time) *http.Request {
	header := r.Header.Get(relayHeader)
	at := strings.LastIndexByte(header, ' ')
	if len(key) == 0 || at < 0 || !hmac.Equal([]byte(relayMAC(key, header[:at])), []byte(header[at+1:])) {
		return r
	}
	words := strings.Split(header[:at], " ")
	if len(words) != 3 {
		return r
	}
	seconds, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > relayValid {
		return r
	}
	r = r.WithContext(context.WithValue(r.Context(), secureKey{}, words[2] == "true"))
	r.RemoteAddr = words[0]
	return r
}
