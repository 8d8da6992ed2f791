//go:build deps

package main
import (
 _ "github.com/pocketbase/pocketbase"
 _ "github.com/wechatpay-apiv3/wechatpay-go/core"
 _ "github.com/smartwalle/alipay/v3"
 _ "github.com/go-co-op/gocron/v2"
 _ "github.com/emmansun/gmsm/sm4"
 _ "pgregory.net/rapid"
 _ "github.com/tidwall/gjson"
 _ "github.com/antchfx/xmlquery"
 _ "github.com/go-pay/gopay/wechat/v3"
 _ "github.com/go-pay/gopay/alipay"
 _ "golang.org/x/text/encoding/simplifiedchinese"
 _ "github.com/spf13/cobra"
 _ "golang.org/x/sync/errgroup"
)
func main(){}
