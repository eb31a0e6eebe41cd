module rekindle.dev/testbed/standin

go 1.26.0

require (
	github.com/cosi-project/runtime v1.12.0
	github.com/siderolabs/crypto v0.6.4
	github.com/siderolabs/grpc-proxy v0.5.1
	github.com/siderolabs/talos/pkg/machinery v1.12.0
	google.golang.org/grpc v1.76.0
	google.golang.org/protobuf v1.36.10
)

replace github.com/mdlayher/ethtool => github.com/siderolabs/ethtool v0.4.0-sidero
