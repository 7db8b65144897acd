package sheetstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode"
)

// object is a JSON object: a field mask takes parts of it away.
type object = map[string]any

// A Failure is an answer that is no success.
type Failure struct {
	Status     int // of HTTP
	Message    string
	Reason     string        // in the details, as "RATE_LIMIT_EXCEEDED", or in the older form
	RetryAfter time.Duration // 0 sends none
	Body       string        // instead of Google's form of an error: a proxy's page
	Cut        bool          // the answer of the method is sent, and breaks off in its middle
	Drop       bool          // the connection ends without an answer
}

// Error is the failure's message.
func (f *Failure) Error() string { return fmt.Sprintf("%d %s", f.Status, f.Message) }

func fail(status int, format string, args ...any) *Failure {
	return &Failure{Status: status, Message: fmt.Sprintf(format, args...)}
}

func (f *Failure) because(reason string) *Failure {
	f.Reason = reason
	return f
}

func invalid(format string, args ...any) *Failure {
	return fail(http.StatusBadRequest, format, args...)
}

// statuses are the names of google.rpc.Code, and the reasons of the older form.
var statuses = map[int][2]string{
	400: {"INVALID_ARGUMENT", "badRequest"},
	401: {"UNAUTHENTICATED", "authError"},
	403: {"PERMISSION_DENIED", "forbidden"},
	404: {"NOT_FOUND", "notFound"},
	429: {"RESOURCE_EXHAUSTED", "rateLimitExceeded"},
	500: {"INTERNAL", "backendError"},
	503: {"UNAVAILABLE", "backendError"},
	504: {"DEADLINE_EXCEEDED", "backendError"},
}

// write answers with f in the form of the service.
func (f Failure) write(w http.ResponseWriter, drive bool) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	if f.Body != "" {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
		return
	}
	if f.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	names := statuses[f.Status]
	item := object{"message": f.Message, "domain": "global", "reason": names[1]}
	if f.Reason != "" && unicode.IsLower(rune(f.Reason[0])) { // in the older form, as "rateLimitExceeded"
		item["reason"], f.Reason = f.Reason, ""
	}
	body := object{"code": f.Status, "message": f.Message, "errors": []object{item}}
	if !drive {
		body["status"] = names[0]
	}
	if f.Reason != "" && !drive {
		body["details"] = []object{{
			"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": f.Reason,
			"domain": "googleapis.com", "metadata": object{"service": "sheets.googleapis.com"},
		}}
	}
	send(w, f.Status, object{"error": body})
}

func send(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // what the emulator makes can be written
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
