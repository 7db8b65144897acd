// Command shop is a small tea shop that tells Kafka what changes. Its stock is a
// compacted topic with a record for each tea. Of everything else it says only that a
// tea changed: what it is like now is what GET /products/SKU answers.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// A tea is what the shop sells.
type tea struct {
	SKU   string      `json:"sku"`
	Name  string      `json:"name"`
	Maker string      `json:"maker"`
	Price json.Number `json:"price"`
	stock int
}

type shop struct {
	kafka         *kafka.Client
	stock, events string // topics

	mu   sync.Mutex
	teas map[string]*tea
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run() error {
	prefix := "shop" // of both topics
	if len(os.Args) > 1 {
		prefix = os.Args[1]
	}
	s := &shop{
		kafka:  &kafka.Client{Addr: kafka.TCP(strings.Split(cmp.Or(os.Getenv("KAFKA"), "127.0.0.1:9092"), ",")...), Timeout: 10 * time.Second},
		stock:  prefix + ".stock",
		events: prefix + ".events",
		teas:   map[string]*tea{},
	}
	if err := s.open(context.Background()); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("SHOP_PORT"), "8083"))
	if err != nil {
		return err
	}
	fmt.Printf("the shop is at http://%s/\n", l.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products/{sku}", s.show)
	mux.HandleFunc("PUT /products/{sku}/price", s.price)
	mux.HandleFunc("PUT /products/{sku}/stock", s.count)
	mux.HandleFunc("DELETE /products/{sku}", s.drop)
	return (&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}).Serve(l)
}

// open makes the topics and tells of every tea.
func (s *shop) open(ctx context.Context) error {
	made, err := s.kafka.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: s.stock, NumPartitions: 1, ReplicationFactor: 1, ConfigEntries: []kafka.ConfigEntry{{ConfigName: "cleanup.policy", ConfigValue: "compact"}}},
		{Topic: s.events, NumPartitions: 1, ReplicationFactor: 1},
	}})
	if err != nil {
		return fmt.Errorf("make the topics: %w", err)
	}
	for topic, err := range made.Errors {
		if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("make the topic %s: %w", topic, err)
		}
	}
	for _, t := range []tea{
		{"TEA-01", "Morning Assam", "Barrow Estate", "9.40", 120},
		{"TEA-02", "Smoky Lapsang", "Wu Family", "14.20", 42},
		{"TEA-03", "Jade Sencha", "Uji Gardens", "17.80", 8},
		{"TEA-04", "Mint & Verbena", "Casa Lima", "7.10", 0},
	} {
		s.teas[t.SKU] = &t
		if err := errors.Join(s.tellStock(ctx, &t), s.tell(ctx, s.events, t.SKU, []byte("listed"))); err != nil {
			return err
		}
	}
	return nil
}

// tell writes one record; a value of nil is a tombstone.
func (s *shop) tell(ctx context.Context, topic, key string, value []byte) error {
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		record := kafka.Record{Key: kafka.NewBytes([]byte(key))} // a try reads it to its end
		if value != nil {
			record.Value = kafka.NewBytes(value)
		}
		answer, err := s.kafka.Produce(ctx, &kafka.ProduceRequest{Topic: topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(record)})
		if err = cmp.Or(err, errorOf(answer)); err == nil {
			return nil
		}
		if time.Now().After(until) { // a topic that was just made has no leader for a moment
			return fmt.Errorf("write to the topic %s: %w", topic, err)
		}
	}
}

func errorOf(answer *kafka.ProduceResponse) error {
	if answer == nil {
		return nil
	}
	return answer.Error
}

func (s *shop) tellStock(ctx context.Context, t *tea) error {
	value, err := json.Marshal(map[string]any{"name": t.Name, "stock": t.stock})
	if err != nil {
		return err
	}
	return s.tell(ctx, s.stock, t.SKU, value)
}

// change does something to the tea that is asked for, and answers what became of it.
func (s *shop) change(w http.ResponseWriter, r *http.Request, do func(t *tea, text string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.teas[r.PathValue("sku")]
	if t == nil {
		http.Error(w, "the shop does not sell that", http.StatusNotFound)
		return
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, 20))
	if err == nil {
		err = do(t, string(text))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(t) // whoever went away does not hear it
}

func (s *shop) show(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(*tea, string) error { return nil })
}

// price changes a price, and tells which tea has another one, not what it is.
func (s *shop) price(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(t *tea, text string) error {
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return errors.New("a price is a number, as in 19.90")
		}
		t.Price = json.Number(text)
		return s.tell(r.Context(), s.events, t.SKU, []byte("repriced"))
	})
}

// count changes how much there is of a tea, and tells how much.
func (s *shop) count(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(t *tea, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("a stock is a number, as in 40")
		}
		t.stock = n
		return s.tellStock(r.Context(), t)
	})
}

// drop takes a tea out of the shop.
func (s *shop) drop(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(t *tea, _ string) error {
		delete(s.teas, t.SKU)
		return errors.Join(s.tell(r.Context(), s.stock, t.SKU, nil), s.tell(r.Context(), s.events, t.SKU, []byte("unlisted")))
	})
}
