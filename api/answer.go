package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

// answer sends value as JSON. It fails only before the first byte.
func answer(w http.ResponseWriter, status int, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // a client that has gone reads nothing
	return nil
}

// intParam is a whole number of the query between low and high.
func intParam(r *http.Request, name string, unset, low, high int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return unset, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, problem.New(problem.Invalid, "%s is %q, it must be a whole number from %d to %d", name, text, low, high).
			WithSlug("out_of_range").At(name)
	}
	return n, nil
}
