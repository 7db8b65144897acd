package s3

import buckets "github.com/pictifyd/pictifyd/internal/s3"

// The slugs of this package's problems.
const (
	DeliveryFailed     = "s3_failed"
	BucketMissing      = buckets.BucketMissing
	AccessDenied       = buckets.AccessDenied
	NoCredentials      = buckets.NoCredentials
	CredentialsRefused = buckets.CredentialsRefused
	ClockWrong         = buckets.ClockWrong
	RegionWrong        = buckets.RegionWrong
	SettingRefused     = buckets.SettingRefused // of the sink: an ACL, a key, a storage class
	ObjectRefused      = buckets.ObjectRefused  // for good
	StoreBusy          = buckets.StoreBusy
)
