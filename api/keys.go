package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode"

	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	slugKeyNotFound   = "key_not_found"
	slugKeyConfigured = "key_in_configuration"
	slugKeyName       = "key_name_taken"

	maxKeyName = 100
	maxKeys    = 10_000
	maxList    = 200 // of scopes, templates, origins

	// When a key was used is noted so often: who looks wants to know whether it
	// still is, and each note is a commit.
	usesEvery = 5 * time.Minute
)

// A keyView is a key as the API shows it, and what is left of its quota.
type keyView struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Source    string    `json:"source"`          // config, or api for those that can be revoked here
	Start     string    `json:"start,omitempty"` // its first characters
	Scopes    []Scope   `json:"scopes"`          // none: all
	Templates []string  `json:"templates"`       // none: all
	Origins   []string  `json:"origins"`
	Rate      int       `json:"rate,omitempty"`  // requests a minute
	Quota     string    `json:"quota,omitempty"` // images
	Spent     int64     `json:"spent,omitempty"` // of the quota, in this period
	ResetsAt  time.Time `json:"resetsAt,omitzero"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	UsedAt    time.Time `json:"usedAt,omitzero"` // about
	Expired   bool      `json:"expired,omitempty"`
}

// listKeys shows every key by its name, none of them itself.
func (s *Server) listKeys(w http.ResponseWriter, r *http.Request) error {
	uses, err := s.deps.Keys.KeyUses(r.Context())
	if err != nil {
		return err
	}
	views := []keyView{}
	for p := range s.keys.all() {
		view, err := s.viewKey(r.Context(), p, uses[p.id])
		if err != nil {
			return err
		}
		views = append(views, view)
	}
	slices.SortFunc(views, func(a, b keyView) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return answer(w, http.StatusOK, map[string][]keyView{"keys": views})
}

func (s *Server) viewKey(ctx context.Context, p *principal, noted time.Time) (keyView, error) {
	view := keyView{
		ID: p.id, Name: p.name, Source: "config", Scopes: list(p.scopes), Templates: list(p.templates),
		Origins: list(p.origins), Quota: p.quota.String(), ExpiresAt: p.expires.UTC(), Expired: p.ended(),
	}
	if p.kept != nil {
		view.Source, view.Start, view.CreatedAt = "api", p.kept.Start, p.kept.CreatedAt.UTC()
	}
	if p.rate != nil {
		view.Rate = p.rate.Burst()
	}
	if used := p.used.Load(); used > 0 && used > noted.Unix() {
		noted = time.Unix(used, 0)
	}
	if !noted.IsZero() {
		view.UsedAt = noted.UTC().Truncate(time.Minute)
	}
	if p.quota.Images == 0 {
		return view, nil
	}
	var err error
	_, _, view.ResetsAt = p.quota.Window(time.Now())
	view.Spent, err = s.deps.Keys.Spent(ctx, p.id, p.quota)
	return view, err
}

// A keyOrder is what a new key shall be like.
type keyOrder struct {
	Name      string       `json:"name"`
	Scopes    []Scope      `json:"scopes,omitempty"`
	Templates []string     `json:"templates,omitempty"`
	Origins   []string     `json:"origins,omitempty"`
	Rate      int          `json:"rate,omitempty"`
	Quota     apikey.Quota `json:"quota,omitzero"`
	ExpiresAt *time.Time   `json:"expiresAt,omitempty"`
}

func (o keyOrder) validate(now time.Time) error {
	var list problem.List
	wrong := func(at, format string, args ...any) {
		list = append(list, problem.New(problem.Invalid, format, args...).At(at))
	}
	if o.Name == "" || len(o.Name) > maxKeyName || !printable(o.Name) {
		wrong("name", "a key has a name of 1 to %d bytes that can be printed", maxKeyName)
	}
	for i, scope := range o.Scopes {
		if !slices.Contains(scopes, scope) {
			list = append(list, problem.New(problem.Invalid, "there is no scope %q", scope).At("scopes["+strconv.Itoa(i)+"]").WithHint("the scopes are %s", scopeList()))
		}
	}
	if len(o.Scopes)+len(o.Templates)+len(o.Origins) > maxList {
		wrong("scopes", "there are more than %d scopes, templates and origins", maxList)
	}
	if slices.Contains(o.Templates, "") {
		wrong("templates", "a template has a name")
	}
	list = append(list, validateOrigins(o.Origins, func(i int) string { return "origins[" + strconv.Itoa(i) + "]" })...)
	if o.Rate < 0 || o.Rate > 1_000_000 {
		wrong("rate", "a rate is 0 to 1,000,000 requests a minute")
	}
	if o.ExpiresAt != nil && !o.ExpiresAt.After(now) {
		wrong("expiresAt", "%s is over", o.ExpiresAt.UTC().Format(time.RFC3339))
	}
	return list.Err()
}

func printable(text string) bool {
	for _, c := range text {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

// createKey makes a key, and shows it this once.
func (s *Server) createKey(w http.ResponseWriter, r *http.Request) error {
	var order keyOrder
	if err := decodeBody(w, r, replayBody, &order, `{"name": "ci", "scopes": ["renders:write"]}`); err != nil {
		return err
	}
	now := time.Now().UTC()
	if err := order.validate(now); err != nil {
		return err
	}
	if p := asker(r.Context()); len(p.templates) > 0 {
		return problem.New(problem.Forbidden, "the key %q is for some templates only, and makes no others", p.name).WithSlug(slugScope)
	}
	if _, taken := s.keys.named(order.Name); taken {
		return problem.New(problem.Conflict, "there is a key %q", order.Name).WithSlug(slugKeyName).At("name").WithHint("revoke it first, or choose another name")
	}
	if s.keys.count() >= maxKeys {
		return problem.New(problem.Conflict, "there are %d keys, and no more are kept", maxKeys).WithHint("revoke some that are not used")
	}
	secret, k := apikey.New()
	k.Name, k.Templates, k.Origins, k.Rate, k.Quota, k.CreatedAt = order.Name, order.Templates, order.Origins, order.Rate, order.Quota, now
	for _, scope := range order.Scopes {
		k.Scopes = append(k.Scopes, string(scope))
	}
	if order.ExpiresAt != nil {
		k.ExpiresAt = order.ExpiresAt.UTC()
	}
	if err := s.deps.Keys.AddKey(r.Context(), k); err != nil {
		return err
	}
	view, err := s.viewKey(r.Context(), s.keys.add(k), time.Time{})
	if err != nil {
		return err
	}
	s.log.Info("key made", slog.String("name", k.Name), slog.String("by", asker(r.Context()).name))
	w.Header().Set("Location", "/keys/"+k.ID)
	return answer(w, http.StatusCreated, struct {
		Key string `json:"key"`
		keyView
	}{secret, view})
}

// revokeKey takes a key away, named by its id or its name, and with it what was
// opened by it.
func (s *Server) revokeKey(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("id")
	p, ok := s.keys.named(name)
	if !ok {
		return problem.New(problem.NotFound, "there is no key %q", name).WithSlug(slugKeyNotFound).WithHint("GET /keys lists them")
	}
	if p.kept == nil {
		return problem.New(problem.Conflict, "the key %q stands in the configuration", p.name).WithSlug(slugKeyConfigured).
			WithHint("take it out of server.keys, and reload")
	}
	if err := s.deps.Keys.RemoveKey(r.Context(), p.id); err != nil {
		return err
	}
	s.keys.revoke(p)
	s.log.Info("key revoked", slog.String("name", p.name), slog.String("by", asker(r.Context()).name))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// noteUses keeps, from time to time and at the end, when keys were used. The
// function that it returns waits for its end, after ctx.
func (s *Server) noteUses(ctx context.Context) (ended func()) {
	ctx, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() {
		noted := map[string]int64{}
		tick := time.NewTicker(usesEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
			s.saveUses(ctx, noted)
			if ctx.Err() != nil {
				return
			}
		}
	})
	return func() { stop(); working.Wait() }
}

// saveUses saves what is newer than noted, and notes it.
func (s *Server) saveUses(ctx context.Context, noted map[string]int64) {
	uses := map[string]time.Time{}
	for p := range s.keys.all() {
		if used := p.used.Load(); used > noted[p.id] {
			uses[p.id], noted[p.id] = time.Unix(used, 0), used
		}
	}
	if len(uses) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	if err := s.deps.Keys.SaveKeyUses(ctx, uses); err != nil {
		s.log.Warn("when keys were used is not noted", slog.Any("err", err))
	}
}
