package webhook_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/webhook"
	"github.com/pictifyd/pictifyd/internal/signing"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the specification's example

// secrets are some texts as a configuration has them.
func secrets(texts ...string) (all config.Secrets) {
	for _, text := range texts {
		all = append(all, config.NewSecret(text))
	}
	return all
}

// crm is a source that is called by Standard Webhooks.
func crm() *webhook.Config {
	c := webhook.Kind.Config().(*webhook.Config)
	c.Path, c.Secret, c.Key = "crm", secrets(secret), config.Strings{"id"}
	return c
}

// sign signs by Standard Webhooks, as of now.
func sign(tb testing.TB, h http.Header, id string, body []byte) {
	tb.Helper()
	if err := (signing.Message{ID: id, Sent: time.Now(), Body: body}).Sign(h, secret); err != nil {
		tb.Fatal(err)
	}
}

func TestReceiver(t *testing.T) {
	connectortest.RunReceiver(t, connectortest.ReceiverSuite{
		Kind: webhook.Kind, Config: crm(), ID: "msg_1",
		Sign: func(tb testing.TB, h http.Header, body []byte) { sign(tb, h, "msg_1", body) },
	})
}

// open opens a source.
func open(tb testing.TB, c *webhook.Config) connectors.Receiver {
	tb.Helper()
	p, err := webhook.Kind.New(c, connectors.Env{Name: "crm"})
	if err != nil {
		tb.Fatal(err)
	}
	return p.(connectors.Receiver)
}
