package daemon

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"image"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// A bucket is one of its own on the S3 server of the tests.
type bucket struct {
	tb     testing.TB
	name   string
	client *awss3.Client
}

// newBucket makes one, and tells the example of it by the environment.
func newBucket(t *testing.T) *bucket {
	t.Helper()
	text := os.Getenv("PICTIFYD_TEST_S3")
	if text == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			t.Fatal("PICTIFYD_TEST_S3 is not set")
		}
		t.Skip("PICTIFYD_TEST_S3 is not set: make test sets it")
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := u.User.Password()
	b := &bucket{tb: t, name: fmt.Sprintf("story-%d-%d", os.Getpid(), time.Now().UnixMilli()%1e6)}
	b.client = awss3.New(awss3.Options{
		Region: u.Query().Get("region"), BaseEndpoint: aws.String("http://" + u.Host), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(u.User.Username(), secret, ""),
	})
	if _, err := b.client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: &b.name}); err != nil {
		t.Fatalf("make a bucket: %v", err)
	}
	for name, value := range map[string]string{
		"S3_BUCKET": b.name, "S3_ENDPOINT": "http://" + u.Host, "S3_KEY": u.User.Username(), "S3_SECRET": secret, "S3_PUBLIC": "https://cards.example",
	} {
		t.Setenv(name, value)
	}
	return b
}

// objects are the ETags of those whose names begin so.
func (b *bucket) objects(prefix string) map[string]string {
	b.tb.Helper()
	list, err := b.client.ListObjectsV2(b.tb.Context(), &awss3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix})
	if err != nil {
		b.tb.Fatal(err)
	}
	all := map[string]string{}
	for _, o := range list.Contents {
		all[*o.Key] = *o.ETag
	}
	return all
}

func (b *bucket) get(key string) []byte {
	b.tb.Helper()
	object, err := b.client.GetObject(b.tb.Context(), &awss3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		b.tb.Fatal(err)
	}
	defer object.Body.Close()
	data, err := io.ReadAll(object.Body)
	if err != nil {
		b.tb.Fatal(err)
	}
	return data
}

func TestASheetsRowsAreCardsInABucketAndItSaysWhere(t *testing.T) {
	b := newBucket(t)
	s := newStory(t, "sheet-to-s3")
	port, _ := startProgram(t, "../examples/sheets/emulator", "SHEETS_PORT", filepath.Join(s.dir, "products.csv"), "1CoffeesOfTheRoastery", "Coffees")
	t.Setenv("SHEETS_PORT", port)
	s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), "every: 5s", "every: 2s", 1))
	s.run(Options{})

	written := func() map[string]string {
		rows, err := csv.NewReader(bytes.NewReader(fetch(t, "http://127.0.0.1:"+port+"/"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, row := range rows {
			if row[6] == "https://cards.example/now/"+row[0]+".png" {
				all[row[0]] = row[7] // when
			}
		}
		return all
	}
	products := s.table("products.csv")[1:]
	eventually(t, "a card for each product, in the bucket and in the sheet", func() bool {
		return len(b.objects("now/")) == len(products) && len(written()) == len(products)
	})
	size, kind, err := image.DecodeConfig(bytes.NewReader(b.get("now/guji-250.png")))
	if err != nil || kind != "png" || size.Width != 1080 || size.Height != 1080 {
		t.Errorf("the card is %s of %dx%d, %v", kind, size.Width, size.Height, err)
	}
	if folder := os.Getenv("PICTIFYD_TEST_SHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, "coffee-card.png"), b.get("now/sidra-100.png"), 0o600); err != nil {
			t.Error(err)
		}
	}

	// The rows are sorted, and one price changes.
	before, made := b.objects("now/"), written()
	api := &process{tb: t, url: "http://127.0.0.1:" + port + "/v4/spreadsheets/1CoffeesOfTheRoastery"}
	api.mustSend(http.StatusOK, "POST", ":batchUpdate", `{"requests": [{"sortRange": {"range": {"sheetId": 0, "startRowIndex": 1, "endRowIndex": 7, "startColumnIndex": 0, "endColumnIndex": 8},
		"sortSpecs": [{"dimensionIndex": 0, "sortOrder": "ASCENDING"}]}}]}`)
	api.mustSend(http.StatusOK, "PUT", "/values/Coffees!E4?valueInputOption=USER_ENTERED", `{"values": [["17.5"]]}`) // of huila-250, by now
	eventually(t, "the new card of the product that changed", func() bool {
		return b.objects("now/")["now/huila-250.png"] != before["now/huila-250.png"] && written()["huila-250"] != made["huila-250"]
	})
	for key, tag := range b.objects("now/") {
		if key != "now/huila-250.png" && tag != before[key] {
			t.Errorf("%s is another card, and has not changed", key)
		}
	}
	for key, at := range written() {
		if key != "huila-250" && at != made[key] {
			t.Errorf("the sheet says that %s was made at %s, and it was at %s", key, at, made[key])
		}
	}
	if n := len(b.objects("cards/")); n != len(products)+1 {
		t.Errorf("%d cards were made of %d products and one change", n, len(products))
	}
}
