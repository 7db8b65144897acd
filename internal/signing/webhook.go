package signing

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const secretPrefix = "whsec_"

// NewSecret is a new random webhook secret of 32 bytes, "whsec_" and base64.
func NewSecret() string {
	key := make([]byte, 32)
	rand.Read(key) // never fails: crypto/rand ends the process instead
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// A Message is one webhook as it goes over the wire.
type Message struct {
	ID    string    // the same at every try
	Event string    // "batch.completed"
	Sent  time.Time // of this try: receivers refuse what is older than five minutes
	Body  []byte
}

// Sign sets the headers that identify m and prove its origin with each of the
// secrets, so that a receiver accepts the old one or the new one while they are
// being changed. Without a secret the headers only identify.
func (m Message) Sign(h http.Header, secrets ...string) error {
	sent := strconv.FormatInt(m.Sent.Unix(), 10)
	h.Set("webhook-id", m.ID)
	h.Set("webhook-timestamp", sent)
	h.Set("X-Pictify-Event", m.Event)
	h.Set("X-Pictify-Delivery-Id", m.ID)

	var standard []string
	pictify := "t=" + sent
	for _, secret := range secrets {
		key, err := secretKey(secret)
		if err != nil {
			return err
		}
		standard = append(standard, "v1,"+base64.StdEncoding.EncodeToString(sum(key, m.ID, ".", sent, ".", string(m.Body))))
		// This dialect takes the secret as it is written, prefix and all.
		pictify += ",v1=" + hex.EncodeToString(sum([]byte(secret), sent, ".", string(m.Body)))
	}
	if len(secrets) > 0 {
		h.Set("webhook-signature", strings.Join(standard, " "))
		h.Set("X-Pictify-Signature", pictify)
	}
	return nil
}

// CheckSecret reports whether secret can sign.
func CheckSecret(secret string) error {
	_, err := secretKey(secret)
	return err
}

// secretKey is the key that a Standard Webhooks receiver derives from secret.
// Base64 is what the specification asks for; a secret that is neither prefixed
// nor base64 is taken as it is, since people write passphrases.
func secretKey(secret string) ([]byte, error) {
	text, prefixed := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	switch {
	case text == "":
		return nil, fmt.Errorf("webhook secret is empty")
	case err == nil:
		return key, nil
	case prefixed:
		// The decoder's own error would show part of the secret.
		return nil, fmt.Errorf("webhook secret is not base64 after %q", secretPrefix)
	}
	return []byte(secret), nil
}

func sum(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}
