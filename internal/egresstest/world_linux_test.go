package egresstest

import (
	"net"
	"net/http"
	"testing"
)

func TestEveryAddressAnswersAndIsHeard(t *testing.T) {
	c := Enter(t)
	if c == nil {
		return
	}
	c.MustHear(t)
	c.Name("photos.example", "93.184.216.34", "127.0.0.1")
	for _, want := range []string{"tcp 93.184.216.34:80", "tcp 127.0.0.1:80", "tcp 127.0.0.1:80"} {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Get("http://photos.example/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if heard := c.Heard(); len(heard) != 1 || heard[0] != want {
			t.Errorf("heard was %q, want %q", heard, want)
		}
	}
	if _, err := net.LookupHost("nobody.example"); err == nil {
		t.Error("a name that nobody gave resolves")
	}
	if heard := c.Heard(); len(heard) == 0 || heard[0] != "name nobody.example." {
		t.Errorf("heard was %q", heard)
	}
}
