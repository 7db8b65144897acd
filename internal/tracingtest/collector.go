// Package tracingtest is a real OpenTelemetry Collector for tests, and what it was sent.
package tracingtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// A Span is one that the collector took.
type Span struct {
	TraceID, SpanID, Parent string
	Name                    string
	Began, Ended            time.Time
	Attributes              map[string]string
	Failed                  bool
	Status                  string   // what it says of its failure
	Links                   []string // ids of traces
	Instance                string   // of the process that sent it
}

// A Collector is a process of scripts/collector, which ends with the test.
type Collector struct {
	URL string // for traces, by OTLP over HTTP

	tb   testing.TB
	path string
}

// Start starts a collector, or fails where make test has not built it.
func Start(tb testing.TB) *Collector {
	tb.Helper()
	bin := find(tb)
	c := &Collector{tb: tb, path: filepath.Join(tb.TempDir(), "traces.jsonl")}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	c.URL = "http://" + address + "/v1/traces"
	config := fmt.Sprintf(`yaml:{receivers: {otlp: {protocols: {http: {endpoint: %q}}}}, exporters: {lines: {path: %q}},
		service: {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], exporters: [lines]}}}}`, address, c.path)
	var said bytes.Buffer
	cmd := exec.Command(bin, "--config", config)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if tb.Failed() {
			tb.Logf("the collector said:\n%s", said.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return c
		}
		if time.Now().After(deadline) {
			tb.Fatalf("the collector does not answer: %v", err)
		}
	}
}

// find is the program, in the cache of the repository.
func find(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil || dir == filepath.Dir(dir) {
			break
		}
	}
	bin := filepath.Join(dir, ".cache", "bin", "collector")
	if _, err := os.Stat(bin); err != nil {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal("there is no .cache/bin/collector: make test builds it")
		}
		tb.Skip("there is no .cache/bin/collector: make .cache/bin/collector builds it")
	}
	return bin
}

// Refuse has the collector refuse what it is sent from now on, or take it again.
func (c *Collector) Refuse(refuses bool) {
	c.tb.Helper()
	err := os.Remove(c.path + ".refuse")
	if refuses {
		err = os.WriteFile(c.path+".refuse", nil, 0o600)
	}
	if err != nil && !os.IsNotExist(err) {
		c.tb.Fatal(err)
	}
}

// Text is all that it took, as JSON.
func (c *Collector) Text() string {
	c.tb.Helper()
	text, err := os.ReadFile(c.path)
	if err != nil && !os.IsNotExist(err) {
		c.tb.Fatal(err)
	}
	return string(text)
}

// Spans are those that it took so far, in the order in which they came.
func (c *Collector) Spans() []Span {
	c.tb.Helper()
	var all []Span
	lines := bufio.NewScanner(bytes.NewReader([]byte(c.Text())))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var request request
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			continue // a line that is being written
		}
		all = append(all, request.spans()...)
	}
	return all
}

// request is ExportTraceServiceRequest of OTLP as JSON, as far as tests look at it.
type request struct {
	ResourceSpans []struct {
		Resource   struct{ Attributes []attribute }
		ScopeSpans []struct {
			Spans []struct {
				TraceID           string `json:"traceId"`
				SpanID            string `json:"spanId"`
				ParentSpanID      string `json:"parentSpanId"`
				Name              string
				StartTimeUnixNano string
				EndTimeUnixNano   string
				Attributes        []attribute
				Status            struct {
					Code    int
					Message string
				}
				Links []struct {
					TraceID string `json:"traceId"`
				}
			}
		}
	}
}

type attribute struct {
	Key   string
	Value struct {
		StringValue string
		IntValue    string
	}
}

func mapOf(all []attribute) map[string]string {
	m := map[string]string{}
	for _, a := range all {
		m[a.Key] = a.Value.StringValue + a.Value.IntValue
	}
	return m
}

const failed = 2 // STATUS_CODE_ERROR

func (r request) spans() (all []Span) {
	for _, of := range r.ResourceSpans {
		instance := mapOf(of.Resource.Attributes)["service.instance.id"]
		for _, scope := range of.ScopeSpans {
			for _, s := range scope.Spans {
				one := Span{
					TraceID: s.TraceID, SpanID: s.SpanID, Parent: s.ParentSpanID, Name: s.Name, Began: nanos(s.StartTimeUnixNano), Ended: nanos(s.EndTimeUnixNano),
					Attributes: mapOf(s.Attributes), Failed: s.Status.Code == failed, Status: s.Status.Message, Instance: instance,
				}
				for _, l := range s.Links {
					one.Links = append(one.Links, l.TraceID)
				}
				all = append(all, one)
			}
		}
	}
	return all
}

func nanos(text string) time.Time {
	n, _ := strconv.ParseInt(text, 10, 64)
	return time.Unix(0, n)
}
