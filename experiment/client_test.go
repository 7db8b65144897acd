package experiment_test

import (
	"net/http"
	"testing"

	"github.com/pictifyd/pictifyd/experiment"
)

func TestClients(t *testing.T) {
	const (
		chrome  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
		iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1"
		ipad    = "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1"
		cubot   = "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
		tab     = "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
		inApp   = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 Mobile/21C62 [Pinterest/iOS]"
		outlook = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook 16.0.5400; ms-office; MSOffice 16)"
	)
	counts := func(name, device string) experiment.Client {
		return experiment.Client{Name: name, Device: device, Countable: true}
	}
	bot := func(reason string) experiment.Client { return experiment.Client{Name: experiment.Bot, Reason: reason} }
	for _, c := range []struct {
		agent string
		want  experiment.Client
	}{
		{chrome, counts(experiment.Other, experiment.Desktop)},
		{iphone, counts(experiment.Other, experiment.Mobile)},
		{ipad, counts(experiment.Other, experiment.Tablet)},
		{tab, counts(experiment.Other, experiment.Tablet)},
		{cubot, counts(experiment.Other, experiment.Mobile)},
		{inApp, counts(experiment.Other, experiment.Mobile)},
		{outlook, counts(experiment.Other, experiment.Desktop)},
		{"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", counts(experiment.Gmail, "")},
		{"Mozilla/5.0", counts(experiment.Apple, "")},
		{"YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", counts(experiment.Yahoo, "")},
		{"okhttp/4.12.0", counts(experiment.Other, "")},
		{"", bot(experiment.ReasonNoAgent)},
		{"  ", bot(experiment.ReasonNoAgent)},
		{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", bot(experiment.ReasonBot)},
		{"Googlebot-Image/1.0", bot(experiment.ReasonBot)},
		{"Mozilla/5.0 (compatible; SomeNewBot/1.0)", bot(experiment.ReasonBot)},
		{"Mozilla/5.0 (compatible; Unheard/1.0; +https://unheard.example)", bot(experiment.ReasonBot)},
		{"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", bot(experiment.ReasonSocial)},
		{"Twitterbot/1.0", bot(experiment.ReasonSocial)},
		{"WhatsApp/2.23.20 A", bot(experiment.ReasonSocial)},
		{"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", bot(experiment.ReasonSocial)},
		{"Mozilla/5.0 (compatible; Mimecast URL Protect)", bot(experiment.ReasonGateway)},
		{"Microsoft Office Protocol Discovery", bot(experiment.ReasonGateway)},
		{"curl/8.5.0", bot(experiment.ReasonLibrary)},
		{"python-requests/2.31.0", bot(experiment.ReasonLibrary)},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36", bot(experiment.ReasonLibrary)},
	} {
		if got := experiment.Classify(experiment.Visit{Method: http.MethodGet, UserAgent: c.agent}); got != c.want {
			t.Errorf("%q is %+v, want %+v", c.agent, got, c.want)
		}
	}
	if got := experiment.Classify(experiment.Visit{Method: http.MethodHead, UserAgent: chrome}); got != bot(experiment.ReasonHead) {
		t.Errorf("HEAD is %+v", got)
	}
	for name, value := range map[string]string{
		"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "Prefetch", "X-Purpose": "preview",
	} {
		h := http.Header{"User-Agent": {chrome}}
		h.Set(name, value)
		want := experiment.Client{Name: experiment.Prefetch, Device: experiment.Desktop, Reason: experiment.ReasonPrefetch}
		if got := experiment.Classify(experiment.VisitOf(http.MethodGet, h)); got != want {
			t.Errorf("%s: %s is %+v", name, value, got)
		}
	}
}
