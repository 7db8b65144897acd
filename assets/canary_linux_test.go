package assets_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/egresstest"
)

// insideURLs are the ways to write an address inside that a row may try.
func insideURLs() (urls []string) {
	for _, host := range []string{
		"127.0.0.1", "127.8.9.10", "localhost", "LocalHost.", "a.localhost", "0.0.0.0", "0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
		"2130706433", "017700000001", "0177.0.0.1", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "127.1", "127.0.0.1.", "127。0。0。1", "①②⑦.⓪.⓪.①",
		"169.254.169.254", "169.254.170.2", "2852039166", "0xa9fea9fe", "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192",
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
		"[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::7f00:1]", "[2001:0:7f00:1::]",
		"[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[ff02::1]", "[::ffff:a00:1%25lo]",
		"inside.example", "mapped.example", "metadata.example", "half.example",
	} {
		urls = append(urls, "http://"+host+"/a.png", "https://"+host+"/a.png", "http://"+host+":8080/a.png", "HTTP://"+host+":443/a.png")
	}
	return append(urls,
		"file:///etc/passwd", "FILE:///etc/passwd", "fIlE://localhost/etc/passwd", `\\127.0.0.1\share\a.png`, `\\localhost/etc/passwd`, `//127.0.0.1/a.png`,
		`http:\\127.0.0.1\a.png`, "http:127.0.0.1/a.png", "http:/127.0.0.1/a.png", "http:///127.0.0.1/a.png", "view-source:http://127.0.0.1/", "blob:http://127.0.0.1/0-0",
		"data:image/png;base64,iVBORw0KGgo=", "javascript:fetch('http://127.0.0.1/')", "ws://127.0.0.1/", "wss://127.0.0.1/", "ftp://127.0.0.1/a.png", "gopher://127.0.0.1:80/_x",
		"dict://127.0.0.1:80/x", "ldap://127.0.0.1/", "jar:http://127.0.0.1/!/a.png", "chrome://settings", "about:blank", "unix:///var/run/docker.sock",
		"http://user@127.0.0.1/a.png", "http://photos.example@127.0.0.1/a.png", "http://127.0.0.1#@photos.example/a.png", "http://127.0.0.1\\@photos.example/a.png",
		"http://127.0.0.1%2f@photos.example/a.png", "http://127.0.0.1\t/a.png", "\x00http://127.0.0.1/a.png", "http://[::1/a.png", "http://127.0.0.1:80:80/a.png", "http://127.0.0.1%00.photos.example/a.png",
	)
}

// The road through the assets room: a row names the image of a page.
func TestRowsAddressReachesNothingInside(t *testing.T) {
	c := egresstest.Enter(t)
	if c == nil {
		return
	}
	c.MustHear(t)
	guard, err := egress.New(egress.Default())
	if err != nil {
		t.Fatal(err)
	}
	client := guard.Client(egress.ClientOptions{MaxRedirects: 3})
	t.Cleanup(client.CloseIdleConnections)
	memory := newMemory()
	library := assets.New(client, memory, memory, assets.Limits{})
	c.Name("localhost", "127.0.0.1")
	c.Name("a.localhost", "127.0.0.1")
	c.Name("inside.example", "10.0.0.1")
	c.Name("mapped.example", "::ffff:127.0.0.1")
	c.Name("metadata.example", "169.254.169.254")
	c.Name("half.example", "fd00:ec2::254")
	fetch := func(what, url string, wanted ...string) error {
		t.Helper()
		_, err := library.Fetch(t.Context(), url, "")
		client.CloseIdleConnections()
		if heard := slices.DeleteFunc(c.Heard(), func(s string) bool { return strings.HasPrefix(s, "name ") }); !slices.Equal(heard, wanted) {
			t.Errorf("%s: the canary heard %q, want %q", what, heard, wanted)
		}
		return err
	}
	c.Serve(serve("image/png", pngOf(t, 3, 2)))
	urls := insideURLs()
	for _, url := range urls {
		if err := fetch(url, url); err == nil {
			t.Errorf("%s was fetched", url)
		}
	}

	// A name that is public when it is judged and inside when it is asked again.
	c.Name("rebind.example", "93.184.216.34", "127.0.0.1")
	if err := fetch("rebinding", "http://rebind.example/a.png", "tcp 93.184.216.34:80"); err != nil {
		t.Errorf("rebinding: %v", err)
	}
	if err := fetch("rebound", "http://rebind.example/b.png"); assets.Reason(err) != assets.Refused {
		t.Errorf("rebound: %v", err)
	}
	c.Name("rebind.example", "93.184.216.34", "169.254.169.254")
	if err := guard.CheckURL(t.Context(), "http://rebind.example/c.png"); err != nil {
		t.Errorf("the check before: %v", err)
	}
	if err := fetch("rebinding after a check", "http://rebind.example/c.png"); assets.Reason(err) != assets.Refused {
		t.Errorf("rebinding after a check: %v", err)
	}

	// A public host that sends elsewhere.
	c.Name("photos.example", "93.184.216.34")
	for i, target := range urls {
		if strings.ContainsAny(target, "\x00\t") || strings.HasPrefix(target, "//") && strings.Contains(target, "photos") {
			continue // no header can hold it
		}
		status := []int{http.StatusFound, http.StatusMovedPermanently, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect}[i%5]
		c.Serve(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/redirect") {
				w.Header().Set("Location", target)
				w.WriteHeader(status)
				return
			}
			w.WriteHeader(http.StatusNotFound)
		})
		_, err := library.Fetch(t.Context(), fmt.Sprintf("http://photos.example/redirect/%d", i), "")
		client.CloseIdleConnections()
		if err == nil {
			t.Errorf("a redirect to %s was followed to a picture", target)
		}
		for _, heard := range c.Heard() {
			if heard != "tcp 93.184.216.34:80" && !strings.HasPrefix(heard, "name ") {
				t.Errorf("a redirect to %s: the canary heard %q", target, heard)
			}
		}
	}

	// A public host that answers with something that asks for more.
	for name, body := range map[string]string{
		"meta refresh":  `<!doctype html><meta http-equiv="refresh" content="0;url=http://127.0.0.1/">`,
		"style sheet":   `@import "http://127.0.0.1/a.css"; body { background: url(http://127.0.0.1/a.png) } @font-face { font-family: F; src: url(http://127.0.0.1/f.woff2) }`,
		"iframe":        `<html><iframe src="http://127.0.0.1/"></iframe><img srcset="http://127.0.0.1/a.png 1x">`,
		"svg image":     `<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1/a.png"/></svg>`,
		"svg use":       `<svg xmlns="http://www.w3.org/2000/svg"><use href="http://127.0.0.1/a.svg#a"/></svg>`,
		"svg style":     `<svg xmlns="http://www.w3.org/2000/svg"><style>@import "http://127.0.0.1/a.css";</style></svg>`,
		"svg entity":    `<!DOCTYPE svg [<!ENTITY x SYSTEM "http://127.0.0.1/x">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>`,
		"svg doctype":   `<!DOCTYPE svg SYSTEM "http://127.0.0.1/svg.dtd"><svg xmlns="http://www.w3.org/2000/svg"></svg>`,
		"xml include":   `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="http://127.0.0.1/x"/></svg>`,
		"xml sheet":     `<?xml-stylesheet href="http://127.0.0.1/a.css"?><svg xmlns="http://www.w3.org/2000/svg"></svg>`,
		"playlist":      "#EXTM3U\nhttp://127.0.0.1/a.ts\n",
		"early hints":   "x",
		"refresh field": "x",
	} {
		c.Serve(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `<http://127.0.0.1/a.css>; rel=preload; as=style, <http://127.0.0.1>; rel=preconnect`)
			w.Header().Set("Refresh", "0; url=http://127.0.0.1/")
			w.Header().Set("Content-Location", "http://127.0.0.1/")
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = w.Write([]byte(body))
		})
		_ = fetch(name, "http://photos.example/"+strings.ReplaceAll(name, " ", "-"), "tcp 93.184.216.34:80") // taken or not, it asks for nothing
	}
}
