package main

import (
	"context"
	"net"
	"net/http"
	"time"
)

// A hook takes webhooks.
type hook struct {
	url    string
	server *http.Server
	came   chan struct{}
}

func newHook() (*hook, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &hook{url: "http://" + listener.Addr().String() + "/", came: make(chan struct{}, 1)}
	h.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case h.came <- struct{}{}:
		default:
		}
	})}
	go func() { _ = h.server.Serve(listener) }() // until close
	return h, nil
}

func (h *hook) wait(ctx context.Context) error {
	select {
	case <-h.came:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hook) close() { _ = h.server.Close() }
