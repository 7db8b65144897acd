package experiment

import (
	"net/http"
	"strings"
)

// A Visit is what a request says about who sends it.
type Visit struct {
	Method    string
	UserAgent string
	// Purpose are the values of the headers Sec-Purpose, Purpose, X-Purpose and X-Moz.
	Purpose []string
}

// VisitOf is the visit of a request's method and headers.
func VisitOf(method string, h http.Header) Visit {
	v := Visit{Method: method, UserAgent: h.Get("User-Agent")}
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		v.Purpose = append(v.Purpose, h.Values(name)...)
	}
	return v
}

// The names of clients: those that count, and what those are that do not.
const (
	Gmail    = "gmail"    // Google's image proxy, which hides who it asks for
	Apple    = "apple"    // Apple Mail's, which fetches whether or not somebody looks
	Yahoo    = "yahoo"    // Yahoo's image proxy
	Other    = "other"    // browsers and programs of people
	Bot      = "bot"      // crawlers, monitors, mail gateways, previews in social networks
	Prefetch = "prefetch" // a browser that fetches ahead
)

// Why a client does not count.
const (
	ReasonHead     = "head"
	ReasonNoAgent  = "no_user_agent"
	ReasonPrefetch = "prefetch"
	ReasonBot      = "bot"
	ReasonGateway  = "mail_gateway"
	ReasonSocial   = "social_crawler"
	ReasonLibrary  = "http_library"
)

// The devices.
const (
	Mobile  = "mobile"
	Tablet  = "tablet"
	Desktop = "desktop"
)

// A Client is what somebody is who asks for an image.
type Client struct {
	Name      string
	Device    string // "" where nobody can tell, as behind a proxy
	Countable bool   // a person may be behind it
	Reason    string // why it is not
}

// Classify says who asks. It is a judgement by what the request says of itself, and
// never by its address.
func Classify(v Visit) Client {
	agent := strings.ToLower(strings.TrimSpace(v.UserAgent))
	switch {
	case fetchesAhead(v.Purpose):
		return Client{Name: Prefetch, Device: DeviceOf(v.UserAgent), Reason: ReasonPrefetch}
	case agent == "":
		return Client{Name: Bot, Reason: ReasonNoAgent}
	}
	for _, list := range automata {
		for _, word := range list.words {
			if strings.Contains(agent, word) {
				return Client{Name: Bot, Reason: list.reason}
			}
		}
	}
	c := Client{Name: mailClient(agent), Countable: true}
	switch {
	case c.Name == Other && isBot(agent):
		return Client{Name: Bot, Reason: ReasonBot}
	case v.Method == http.MethodHead:
		return Client{Name: Bot, Reason: ReasonHead}
	case c.Name == Other:
		c.Device = DeviceOf(v.UserAgent)
	}
	return c
}

func fetchesAhead(purposes []string) bool {
	for _, p := range purposes {
		p = strings.ToLower(p)
		for _, word := range []string{"prefetch", "prerender", "preview"} {
			if strings.Contains(p, word) {
				return true
			}
		}
	}
	return false
}

func mailClient(agent string) string {
	switch {
	case strings.Contains(agent, "googleimageproxy") || strings.Contains(agent, "ggpht.com"):
		return Gmail
	case agent == "mozilla/5.0": // Mail Privacy Protection says no more
		return Apple
	case strings.Contains(agent, "yahoomailproxy"):
		return Yahoo
	}
	return Other
}

// automata are words of those who say what they are. They are in lower case.
var automata = []struct {
	reason string
	words  []string
}{
	{ReasonSocial, []string{
		"facebookexternalhit", "facebookcatalog", "meta-externalagent", "twitterbot", "linkedinbot", "slackbot", "slack-imgproxy", "whatsapp/", "telegrambot",
		"discordbot", "pinterestbot", "skypeuripreview", "redditbot", "embedly", "iframely", "vkshare", "snap url preview", "mastodon/", "bluesky cardyb",
	}},
	{ReasonGateway, []string{
		"mimecast", "proofpoint", "barracuda", "messagelabs", "symantec", "trendmicro", "trend micro", "forcepoint", "cisco-ironport", "ironport", "sophos",
		"fireeye", "zscaler", "microsoft office protocol discovery", "safelinks", "bitdefender", "kaspersky", "avanan", "vadesecure", "vaderetro", "cloudmark", "mailguard", "spamhaus",
	}},
	{ReasonLibrary, []string{
		"curl/", "wget/", "python-requests", "python-urllib", "python-httpx", "aiohttp", "go-http-client", "java/", "apache-httpclient", "libwww-perl", "lwp::",
		"node-fetch", "axios/", "undici", "guzzlehttp", "php/", "ruby", "scrapy", "httpie", "postmanruntime", "insomnia/", "apachebench", "vegeta",
		"headlesschrome", "phantomjs", "puppeteer", "playwright", "selenium", "chrome-lighthouse", "pagespeed", "gtmetrix",
	}},
	{ReasonBot, []string{
		"crawl", "spider", "slurp", "mediapartners-google", "adsbot", "google-inspectiontool", "google-read-aloud", "googleother", "feedfetcher", "bingpreview",
		"yandexbot", "yandeximages", "baiduspider", "duckduckbot", "ia_archiver", "archive.org", "semrush", "ahrefs", "screaming frog", "gptbot", "chatgpt-user",
		"claudebot", "claude-web", "anthropic-ai", "perplexity", "ccbot", "bytespider", "petalbot", "applebot", "pingdom", "uptimerobot", "statuscake", "site24x7",
		"datadog", "newrelicpinger", "zabbix", "nagios", "nessus", "nmap", "nikto", "qualys", "censys", "masscan", "zgrab", "validator", "checker", "fetcher", "scanner", "monitor",
	}},
}

// isBot finds bots that are in no list: a word that ends in bot, and an address or an
// "@" after a plus, which crawlers leave for who wants to complain. CUBOT makes phones.
func isBot(agent string) bool {
	if strings.Contains(agent, "+http") || strings.Contains(agent, "+mailto") {
		return true
	}
	for rest := agent; ; {
		i := strings.Index(rest, "bot")
		if i < 0 {
			return false
		}
		before, after := rest[:i], rest[i+len("bot"):]
		if !strings.HasSuffix(before, "cu") && (after == "" || !isLetter(after[0])) {
			return true
		}
		rest = after
	}
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' }

// DeviceOf is the kind of device that a browser says it runs on; "" where it says
// nothing.
func DeviceOf(userAgent string) string {
	agent := strings.ToLower(userAgent)
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(agent, word) {
				return true
			}
		}
		return false
	}
	switch {
	case has("ipad", "tablet", "kindle", "silk/", "playbook") || has("android") && !has("mobile"):
		return Tablet
	case has("iphone", "ipod", "mobile", "windows phone", "opera mini"):
		return Mobile
	case has("windows", "macintosh", "x11", "cros ", "linux"):
		return Desktop
	}
	return ""
}
