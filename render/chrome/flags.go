package chrome

import (
	"fmt"
	"path/filepath"
	"strings"
)

// A flag is one switch of Chrome's command line and why it is there. An
// unknown switch is ignored by Chrome, so that the headless shell and the full
// browser share the table.
type flag struct {
	name, value string
	why         string
}

func (f flag) String() string {
	if f.value == "" {
		return "--" + f.name
	}
	return "--" + f.name + "=" + f.value
}

// fixedFlags are the same in every Chrome that a pool starts.
var fixedFlags = []flag{
	{"headless", "", "no window system"},
	{"remote-debugging-pipe", "", "no port that another user of the machine could connect to; Chrome ends with the pipe"},

	// Nothing leaves but through the proxy.
	{"proxy-bypass-list", "<-loopback>", "otherwise loopback and link-local addresses, 169.254.169.254 too, are dialled without the proxy"},
	{"host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "no name is resolved here: dns-prefetch is a way out too"},
	{"force-webrtc-ip-handling-policy", "disable_non_proxied_udp", "WebRTC knows nothing of HTTP proxies; the headless shell's name"},
	{"webrtc-ip-handling-policy", "disable_non_proxied_udp", "the same; the full browser's name"},
	{"disable-background-networking", "", "no updates, no field trials, no safe browsing lists"},
	{"disable-component-update", "", "the same"},
	{"disable-client-side-phishing-detection", "", "the same"},
	{"disable-domain-reliability", "", "the same"},
	{"disable-sync", "", "the same"},
	{"no-pings", "", "the same"},
	{"disable-breakpad", "", "no crash reports, and no crash handler outside of the process group"},
	{"disable-crash-reporter", "", "the same; the full browser's name"},
	{"disable-features", "Translate,MediaRouter,DialMediaRouteProvider,OptimizationHints,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,AcceptCHFrame", "services that look around in the network, and the upgrade of our own origin to https"},

	// What a page can't need for a picture.
	{"disable-3d-apis", "", "software WebGL can take all memory of the machine"},
	{"disable-extensions", "", "none are wanted"},
	{"disable-default-apps", "", "the same"},
	{"block-new-web-contents", "", "no popups"},
	{"deny-permission-prompts", "", "nobody is there to answer"},
	{"disable-notifications", "", "the same"},
	{"mute-audio", "", "no sound device is opened"},
	{"no-first-run", "", "no welcome page"},
	{"no-default-browser-check", "", "the same"},
	{"password-store", "basic", "no keyring of the desktop is asked"},
	{"use-mock-keychain", "", "the same on macOS"},

	// The same picture from the same page.
	{"hide-scrollbars", "", "a picture has none"},
	{"force-color-profile", "srgb", "not the screen's, where there is one"},
	{"force-device-scale-factor", "1", "the same"},
	{"font-render-hinting", "none", "glyphs keep their shape and place at every size"},
	{"disable-lcd-text", "", "no coloured fringes: a picture is not shown on the screen that it was made for"},
	{"disable-lazy-loading", "", "an image below the fold belongs to the picture"},
	{"disable-checker-imaging", "", "a tile is painted when its images are decoded, not before"},
	{"disable-image-animation-resync", "", "an animated image does not jump to where the clock would have it"},
	{"lang", "en-US", "the default language of pages that name none"},

	// What the fast lane is made of; a Chrome without it draws all the same.
	{"enable-blink-features", "CanvasDrawElement", "a page can be drawn into a canvas"},

	// Nobody looks at a window here, which is no reason to be slow.
	{"disable-background-timer-throttling", "", "tabs count as hidden otherwise"},
	{"disable-backgrounding-occluded-windows", "", "the same"},
	{"disable-renderer-backgrounding", "", "the same"},
	{"disable-hang-monitor", "", "the pool has deadlines of its own"},
	{"disk-cache-size", "33554432", "a profile stays small"},
}

// forbidden must never stand on the command line.
var forbidden = []string{
	"remote-debugging-port", "remote-debugging-address", "disable-web-security", "allow-file-access-from-files",
	"disable-site-isolation-trials", "single-process", "no-zygote", "disable-setuid-sandbox", "ignore-certificate-errors",
	"disable-frame-rate-limit", "disable-gpu-vsync",
}

// commandFlags is the whole command line of one Chrome.
func commandFlags(profile, proxy string, sandbox bool) (args []string) {
	flags := append([]flag{}, fixedFlags...)
	flags = append(flags,
		flag{"user-data-dir", profile, "everything that Chrome writes is in its profile"},
		flag{"crash-dumps-dir", filepath.Join(profile, "crashes"), "the same"},
		flag{"proxy-server", "http://" + proxy, "the only way out, and it ends in this process"},
	)
	if !roomy(memoryFolder) {
		flags = append(flags, flag{"disable-dev-shm-usage", "", "the memory file system is too small for bitmaps"})
	}
	if !sandbox {
		flags = append(flags, flag{"no-sandbox", "", "the configuration says so"})
	}
	for _, f := range flags {
		args = append(args, f.String())
	}
	return append(args, "about:blank") // the full browser would open its start page
}

// checkFlags refuses a command line that would open Chrome to others.
func checkFlags(args []string, sandbox bool) error {
	never := forbidden
	if sandbox {
		never = append([]string{"no-sandbox"}, never...)
	}
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		for _, n := range never {
			if name == n {
				return fmt.Errorf("Chrome's command line has --%s", n)
			}
		}
	}
	return nil
}
