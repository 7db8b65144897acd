package exchange_test

import (
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/s3"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

// A gate lets nothing through, and counts who asked.
type gate struct{ asked atomic.Int64 }

func (g *gate) RoundTrip(*http.Request) (*http.Response, error) {
	g.asked.Add(1)
	return nil, errors.New("the gate is shut")
}

// What callers make reaches nothing but through the one client, whatever this
// machine's environment says.
func TestSinksOfCallersGoThroughTheOneClient(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var reached atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			_ = conn.Close()
		}
	}()
	address := "http://" + listener.Addr().String()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT"} {
		t.Setenv(name, address)
	}
	all := kinds(address)
	all["s3"] = func(client *http.Client) (sink.Sink, error) {
		c := s3.Kind.Config().(*s3.Config)
		c.Bucket, c.Path, c.Endpoint = "cards", "{{ key }}", address
		c.AccessKey, c.SecretKey = config.NewSecret("an-id"), config.NewSecret("a-secret")
		return s3.Kind.New(c, sink.Env{Client: client, Bytes: sinktest.OpenPicture})
	}
	for name, open := range all {
		g := &gate{}
		s, err := open(&http.Client{Transport: g})
		if err != nil {
			t.Fatal(err)
		}
		d := sinktest.Completed("a", 1)
		_, delivered := s.Deliver(t.Context(), d)
		d.Event = sink.ImageRemoved
		_, _ = s.Deliver(t.Context(), d)
		probed := s.(sink.Prober).Probe(t.Context())
		if delivered == nil || probed == nil || g.asked.Load() < 2 {
			t.Errorf("%s: deliver = %v, probe = %v, with %d requests of the client", name, delivered, probed, g.asked.Load())
		}
	}
	_ = listener.Close()
	<-ended
	if n := reached.Load(); n > 0 {
		t.Errorf("%d connections went another way", n)
	}
}
