package sheets

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	sheets "google.golang.org/api/sheets/v4"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// A patience is how often a request is tried, and how long is waited between.
type patience struct {
	tries   int // of requests that Google refuses for now
	network int // of requests without a whole answer
	backoff retry.Backoff
}

// usual is Google's advice: 1 s, 2 s, 4 s … at most 32 s. A quota is free again
// after a minute, which the waits add up to.
var usual = patience{tries: 7, network: 3, backoff: retry.Backoff{Base: time.Second, Max: 32 * time.Second}}

// maxWait is the longest wait that is waited with a reading open. Whoever asks
// for more is polled later.
const maxWait = time.Minute

// A client asks the API with one credential.
type client struct {
	api      *sheets.Service
	http     *http.Client
	drive    string
	id       string // of the spreadsheet
	email    string // of the service account, to share with; "" for none
	apiKey   config.Secret
	budget   *budget
	writing  *budget // nil of one that only reads
	timeout  time.Duration
	patience patience
	idle     func()
}

// newClient is the client of a source. One that writes asks for more.
func newClient(cfg *Config, env connectors.Env, id string, writes bool) (*client, error) {
	base := http.RoundTripper(newTransport())
	idle := base.(*http.Transport).CloseIdleConnections
	owner := "file"
	if env.Client != nil {
		if err := ofCallers(cfg); err != nil {
			return nil, err
		}
		base, idle = env.Client.Transport, func() {}
		// Nobody shares the budget of an operator's account who only knows its name.
		owner = "caller " + poll.Digest([]byte(cfg.Credentials.Reveal()+cfg.APIKey.Reveal()))
	}
	if base == nil {
		base = http.DefaultTransport
	}
	c := &client{
		drive: cfg.driveEndpoint(), id: id, apiKey: cfg.APIKey,
		timeout: cfg.Timeout.Std(), patience: usual, idle: idle,
	}
	t := &transport{base: base, apiKey: cfg.APIKey.Reveal()}
	user, project := "key "+poll.Digest([]byte(t.apiKey)), "key "+poll.Digest([]byte(t.apiKey))
	if t.apiKey == "" && (cfg.Endpoint == "" || !cfg.Credentials.IsZero()) {
		text := cfg.Credentials.Reveal()
		scopes := []string{scopeOf(writes)}
		if cfg.Drive {
			scopes = append(scopes, scopeDrive)
		}
		t.tokens = openTokens(text, scopes, &http.Client{Transport: base, CheckRedirect: noRedirects, Timeout: cfg.Timeout.Std()})
		key, _ := parseCredentials(text) // Validate has read it
		c.email = key.Email
		user, project = key.Email+key.Type, key.Project
	}
	c.http = &http.Client{Transport: t, CheckRedirect: noRedirects}
	api, err := sheets.NewService(context.Background(), option.WithHTTPClient(c.http), option.WithEndpoint(cfg.sheetsEndpoint()),
		option.WithLogger(slog.New(slog.DiscardHandler))) // it would log answers where the environment says so
	if err != nil {
		return nil, err
	}
	c.api = api
	user, project = strings.Join([]string{owner, cfg.Endpoint, user}, "\n"), strings.Join([]string{owner, cfg.Endpoint, project}, "\n")
	c.budget = openBudget(user, project)
	if writes {
		c.writing = openBudget("writes "+user, "writes "+project)
	}
	return c, nil
}

// ofCallers refuses what would use the machine's credentials for somebody else.
func ofCallers(cfg *Config) error {
	if cfg.Credentials.IsZero() && cfg.APIKey.IsZero() && cfg.Endpoint == "" {
		return problem.New(problem.Invalid, "needs the JSON of a service account, or an api_key").At("credentials").
			WithHint("over the API this machine's own credentials are not used")
	}
	if key, _ := parseCredentials(cfg.Credentials.Reveal()); !cfg.Credentials.IsZero() && key.Type != "service_account" {
		// The other types name commands, files and addresses of the machine that uses them.
		return problem.New(problem.Invalid, "over the API only a service account's key is taken, not one of type %q", key.Type).At("credentials")
	}
	return nil
}

func (c *client) close() {
	c.budget.close()
	if c.writing != nil {
		c.writing.close()
	}
	c.idle()
}

// ask makes one request within the budget, and again while Google refuses it for
// now or the network fails.
func (c *client) ask(ctx context.Context, do func(ctx context.Context) error) error {
	for try := 1; ; try++ {
		if err := c.budget.take(ctx); err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, c.timeout)
		err := do(limited)
		cancel()
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		tries, after := c.passing(err)
		if try >= tries {
			return c.explain(err)
		}
		wait := c.patience.backoff.Next(try)
		if after > maxWait {
			return retry.After(c.explain(err), after)
		}
		wait = max(wait, after)
		if tooMany(err) {
			c.budget.pause(wait) // for all that share the credential
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// passing is how often a request with this error is tried, and how long its
// server asks to wait.
func (c *client) passing(err error) (tries int, after time.Duration) {
	var e *googleapi.Error
	if !errors.As(err, &e) {
		var known *problem.Error
		if errors.As(err, &known) {
			return 1, 0 // there is no token, or the answer is too large
		}
		return c.patience.network, 0
	}
	if tooMany(err) || e.Code >= 500 {
		after, _ = retryAfter(e.Header)
		return c.patience.tries, after
	}
	return 1, 0
}

// values reads ranges in one request.
func (c *client) values(ctx context.Context, render string, ranges []string) ([]*sheets.ValueRange, error) {
	var answer *sheets.BatchGetValuesResponse
	err := c.ask(ctx, func(ctx context.Context) (err error) {
		answer, err = c.api.Spreadsheets.Values.BatchGet(c.id).Ranges(ranges...).ValueRenderOption(render).
			DateTimeRenderOption("SERIAL_NUMBER").MajorDimension("ROWS").Context(ctx).Do()
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(answer.ValueRanges) != len(ranges) {
		return nil, problem.New(problem.Upstream, "the answer has %d ranges of %d", len(answer.ValueRanges), len(ranges))
	}
	return answer.ValueRanges, nil
}

// book reads what fields says of the spreadsheet, or of ranges in it.
func (c *client) book(ctx context.Context, fields string, ranges ...string) (*sheets.Spreadsheet, error) {
	var answer *sheets.Spreadsheet
	err := c.ask(ctx, func(ctx context.Context) (err error) {
		answer, err = c.api.Spreadsheets.Get(c.id).Ranges(ranges...).Fields(googleapi.Field(fields)).Context(ctx).Do()
		return err
	})
	return answer, err
}

// modified is Drive's modifiedTime. Drive has a quota of its own, many times as
// large. One GET needs no second generated client.
func (c *client) modified(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	address := c.drive + "drive/v3/files/" + url.PathEscape(c.id) + "?fields=modifiedTime&supportsAllDrives=true"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return "", transportError(err)
	}
	defer resp.Body.Close()
	if err := googleapi.CheckResponse(resp); err != nil {
		return "", c.explain(err)
	}
	var file struct {
		ModifiedTime string `json:"modifiedTime"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&file); err != nil || file.ModifiedTime == "" {
		return "", problem.New(problem.Upstream, "Drive does not say when the file was modified")
	}
	return file.ModifiedTime, nil
}
