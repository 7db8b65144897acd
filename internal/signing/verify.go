package signing

import (
	"crypto/hmac"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Skew is how far the clocks of sender and receiver may be apart: what was signed
// longer ago may be somebody else's copy.
const Skew = 5 * time.Minute

// Fresh reports whether sent, in seconds since 1970, is a moment about now.
func Fresh(sent string, now time.Time) bool {
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if err != nil {
		return false
	}
	// Compared as seconds: a far future does not fit into a duration.
	limit := int64(Skew / time.Second)
	return seconds >= now.Unix()-limit && seconds <= now.Unix()+limit
}

// VerifyWebhook reports whether one of the secrets made one of the signatures of
// body by Standard Webhooks. Whether it is fresh is another question. It takes the
// same time whichever letter differs.
func VerifyWebhook(h http.Header, body []byte, secrets ...string) bool {
	id, sent := h.Get("webhook-id"), h.Get("webhook-timestamp")
	if id == "" || sent == "" {
		return false
	}
	valid := false
	for _, secret := range secrets {
		key, err := secretKey(secret)
		if err != nil {
			continue
		}
		want := "v1," + base64.StdEncoding.EncodeToString(sum(key, id, ".", sent, ".", string(body)))
		for given := range strings.SplitSeq(h.Get("webhook-signature"), " ") {
			match := hmac.Equal([]byte(given), []byte(want))
			valid = valid || match
		}
	}
	return valid
}
