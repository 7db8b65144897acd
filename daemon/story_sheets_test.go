package daemon

import (
	"bytes"
	"image"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASheetGetsACardForEachRowAndOneAnewForOneCell(t *testing.T) {
	s := newStory(t, "sheets")
	port, _ := startProgram(t, "../examples/sheets/emulator", "SHEETS_PORT", filepath.Join(s.dir, "events.csv"))
	t.Setenv("SHEETS_PORT", port)
	s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), "every: 5s", "every: 1s", 1))
	url, _ := s.run(Options{})

	slugs := s.table("events.csv")[1:]
	cards := func() map[string]string {
		all := map[string]string{}
		for _, row := range slugs {
			resp, err := http.Get(url + "/b/talk-cards/" + row[0] + ".png")
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				all[row[0]] = resp.Header.Get("ETag")
			}
		}
		return all
	}
	eventually(t, "a card for each talk", func() bool { return len(cards()) == len(slugs) })
	before := cards()
	picture := fetch(t, url+"/b/talk-cards/one-pixel-grid.png")
	if folder := os.Getenv("PICTIFYD_TEST_SHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, "talk-card.png"), picture, 0o600); err != nil {
			t.Error(err)
		}
	}
	if size, kind, err := image.DecodeConfig(bytes.NewReader(picture)); err != nil || kind != "png" || size.Width != 1200 || size.Height != 630 {
		t.Errorf("the card is %s of %dx%d, %v", kind, size.Width, size.Height, err)
	}

	// One cell, over the API that a person's browser uses too: the third talk's seats.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut,
		"http://127.0.0.1:"+port+"/v4/spreadsheets/1TalksOfTheWinterSeries/values/Talks!G4?valueInputOption=USER_ENTERED", strings.NewReader(`{"values": [["6"]]}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s", resp.Status, body)
	}
	_ = resp.Body.Close()
	eventually(t, "the new card of the talk that changed", func() bool { return cards()["one-pixel-grid"] != before["one-pixel-grid"] })
	for slug, etag := range cards() {
		if slug != "one-pixel-grid" && etag != before[slug] {
			t.Errorf("%s has another card, and has not changed", slug)
		}
	}
}
