package sheetstest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"time"
)

const projectNumber = "428013579246"

// Scopes that a token may have.
const (
	scopeSheets = "https://www.googleapis.com/auth/spreadsheets"
	scopeDrive  = "https://www.googleapis.com/auth/drive"
	readonly    = ".readonly"
)

// An Account is a service account with one key.
type Account struct {
	Email, Project string
	key            *rsa.PrivateKey
	id             string
}

// An identity is who makes a request.
type identity struct {
	user, project string
	email         string
	scopes        []string
}

type token struct {
	account *Account
	scopes  []string
	expires time.Time
}

// Account makes a service account of a project.
func (e *Emulator) Account(name, project string) *Account {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	a := &Account{Email: name + "@" + project + ".iam.gserviceaccount.com", Project: project, key: key, id: random()}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.accounts[a.Email] = a
	return a
}

// JSON is the account's key file, for an emulator that is served at address.
func (a *Account) JSON(address string) string {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": a.Project, "private_key_id": a.id,
		"private_key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email": a.Email, "client_id": "100000000000000000001",
		"auth_uri": address + "/auth", "token_uri": address + "/token",
		"universe_domain": "googleapis.com",
	})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Key makes an API key of a project.
func (e *Emulator) Key(project string) string {
	key := "AIza" + random()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys[key] = project
	return key
}

// Revoke makes every token that was given out worthless, as if it had expired.
func (e *Emulator) Revoke() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.tokens)
}

// Remove ends an account: its key signs nothing any more.
func (e *Emulator) Remove(a *Account) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.accounts, a.Email)
}

func random() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// identify finds out who asks.
func (e *Emulator) identify(r *http.Request) (identity, *Failure) {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		t, known := e.tokens[bearer]
		if !known || e.o.Now().After(t.expires) {
			return identity{}, fail(http.StatusUnauthorized, "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.").
				because("ACCESS_TOKEN_EXPIRED")
		}
		return identity{user: t.account.Email, email: t.account.Email, project: t.account.Project, scopes: t.scopes}, nil
	}
	key := r.Header.Get("X-Goog-Api-Key")
	if key == "" {
		key = r.URL.Query().Get("key")
	}
	if key != "" {
		project, known := e.keys[key]
		if !known {
			return identity{}, invalid("API key not valid. Please pass a valid API key.").because("API_KEY_INVALID")
		}
		return identity{user: "key " + key, project: project}, nil
	}
	if e.o.Anonymous {
		return identity{user: "anyone", project: "anyone"}, nil
	}
	return identity{}, fail(http.StatusForbidden, "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.")
}

// permit says whether who may do this with b.
func (e *Emulator) permit(who identity, b *Book, c Call) *Failure {
	switch {
	case e.o.Anonymous && who.email == "":
		return nil
	case e.o.Disabled[c.service()]:
		name := map[string]string{"drive": "Google Drive API", "sheets": "Google Sheets API"}[c.service()]
		return fail(http.StatusForbidden, "%s has not been used in project %s before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/%s.googleapis.com/overview?project=%s then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
			name, projectNumber, c.service(), projectNumber).because("SERVICE_DISABLED")
	case who.email == "" && c.Write:
		return fail(http.StatusUnauthorized, "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that assert a principal. See https://cloud.google.com/docs/authentication")
	case who.email != "" && !c.within(who.scopes):
		return fail(http.StatusForbidden, "Request had insufficient authentication scopes.").because("ACCESS_TOKEN_SCOPE_INSUFFICIENT")
	case b == nil && c.service() == "drive":
		return fail(http.StatusNotFound, "File not found: %s.", c.Spreadsheet)
	case b == nil:
		return fail(http.StatusNotFound, "Requested entity was not found.")
	case !b.public && !b.readers[who.email]:
		if c.service() == "drive" {
			return fail(http.StatusNotFound, "File not found: %s.", c.Spreadsheet)
		}
		return fail(http.StatusForbidden, "The caller does not have permission")
	}
	return nil
}

// within reports whether one of the scopes allows the call.
func (c Call) within(scopes []string) bool {
	good := []string{scopeDrive}
	if c.service() == "sheets" {
		good = append(good, scopeSheets)
	}
	if !c.Write {
		good = append(good, scopeDrive+readonly)
		if c.service() == "sheets" {
			good = append(good, scopeSheets+readonly)
		} else {
			good = append(good, "https://www.googleapis.com/auth/drive.metadata.readonly")
		}
	}
	return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(good, s) })
}

// exchange gives a token for an assertion that an account's key has signed.
func (e *Emulator) exchange(w http.ResponseWriter, r *http.Request) {
	refuse := func(what, why string) {
		send(w, http.StatusBadRequest, object{"error": what, "error_description": why})
	}
	if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		refuse("unsupported_grant_type", "Invalid grant_type: "+r.FormValue("grant_type"))
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	account, claims, why := e.verify(r.FormValue("assertion"))
	if why != "" {
		refuse("invalid_grant", why)
		return
	}
	if claims.Scope == "" {
		refuse("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
		return
	}
	access := "ya29." + random()
	e.tokens[access] = token{account: account, scopes: strings.Fields(claims.Scope), expires: e.o.Now().Add(time.Hour)}
	e.exchanges++
	send(w, http.StatusOK, object{"access_token": access, "expires_in": 3599, "token_type": "Bearer"})
}

type claims struct {
	Issuer   string `json:"iss"`
	Scope    string `json:"scope"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
	Issued   int64  `json:"iat"`
}

// verify checks an assertion; why is what is wrong with it.
func (e *Emulator) verify(assertion string) (a *Account, c claims, why string) {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return nil, c, "Bad Request"
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return nil, c, "Invalid JWT: Failed to parse the claims."
	}
	a = e.accounts[c.Issuer]
	if a == nil {
		return nil, c, "Invalid grant: account not found"
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return nil, c, "Invalid JWT Signature."
	}
	now := e.o.Now().Unix()
	if c.Expires <= now || c.Issued > now+60 || c.Expires-c.Issued > 3600+60 {
		return nil, c, "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."
	}
	if !strings.HasSuffix(c.Audience, "/token") {
		return nil, c, "Invalid JWT: Failed audience check."
	}
	return a, c, ""
}
