package wechat

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"hospay/sim"
)

// receipt is an electronic receipt (电子回单) of one transfer.
type receipt struct {
	bill    *bill
	created time.Time
	pdf     []byte
}

func (m *merchant) applyReceipt(q *request) plan {
	var f struct {
		OutBillNo      string `json:"out_bill_no,omitempty"`
		TransferBillNo string `json:"transfer_bill_no,omitempty"`
	}
	if e := q.read(&f); e != nil {
		return failed(e)
	}
	no := f.OutBillNo
	if no == "" {
		no = m.numberOf(f.TransferBillNo)
	}
	return plan{no: no, hash: f, run: func(sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		b, now := m.bills[no], m.Clock().Now()
		switch {
		case b == nil:
			return nil, refuse(m.settings.Get().NotFoundStatus, "NOT_FOUND", "转账单据不存在")
		case b.state != success:
			return nil, invalidRequest("转账单据未成功，不支持申请电子回单")
		case b.userName == "":
			return nil, invalidRequest("转账时未传入收款用户姓名，不支持申请电子回单")
		case now.After(b.created.AddDate(0, 6, 0)):
			return nil, invalidRequest("仅支持申请6个月内的转账单据")
		}
		if m.receipts[no] == nil {
			m.receipts[no] = &receipt{bill: b, created: now}
		}
		return map[string]string{"state": "GENERATING", "create_time": m.receipts[no].created.Format(rfc3339)}, nil
	}}
}

func (m *merchant) queryReceipt(q *request) plan {
	no, id := q.PathValue("no"), q.PathValue("id")
	if no == "" {
		no = m.numberOf(id)
	}
	return plan{no: no, hash: map[string]string{"out_bill_no": q.PathValue("no"), "transfer_bill_no": id},
		run: func(sim.Fault) (any, *apiError) {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.showReceipt(m.receipts[no])
		}}
}

func (m *merchant) showReceipt(r *receipt) (any, *apiError) {
	now := m.Clock().Now()
	if r == nil || now.After(r.created.AddDate(0, 0, 90)) {
		return nil, refuse(m.settings.Get().NotFoundStatus, "NOT_FOUND", "电子回单不存在")
	}
	ready := r.created.Add(time.Duration(m.settings.Get().ReceiptDelayMS) * time.Millisecond)
	v := map[string]string{"state": "GENERATING", "create_time": r.created.Format(rfc3339), "update_time": r.created.Format(rfc3339)}
	if now.Before(ready) {
		return v, nil
	}
	if r.pdf == nil {
		r.pdf = sim.PDF(r.lines())
	}
	sum := sha256.Sum256(r.pdf)
	v["state"], v["update_time"], v["hash_type"], v["hash_value"] = "FINISHED", ready.Format(rfc3339), "SHA256", hex.EncodeToString(sum[:])
	v["download_url"] = m.keepDownload(&download{m, now.Add(10 * time.Minute), r.pdf, "application/pdf"},
		"/v3/transferbilldownload/elecvoucherfile?source=elecsign&token=")
	return v, nil
}

func (r *receipt) lines() []string {
	b := r.bill
	return []string{"转账电子回单（模拟）", "商户号：" + b.m.id, "商户单号：" + b.no, "微信转账单号：" + b.id, "收款用户：" + b.userName,
		"转账金额：" + sim.Yuan(b.amount) + " 元", "到账时间：" + b.updated.Format(time.DateTime), "备注：" + b.remark}
}

// certificates serves the platform certificate, encrypted with the APIv3 key.
func (m *merchant) certificates(*request) plan {
	return plan{run: func(sim.Fault) (any, *apiError) {
		if !m.settings.Get().PlatformCertificate {
			return nil, refuse(404, "RESOURCE_NOT_EXISTS", "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥")
		}
		nonce := sim.Token(6)
		cipher := m.aead.Seal(nil, []byte(nonce), []byte(m.platCert.PEM), []byte("certificate"))
		return map[string]any{"data": []any{map[string]any{"serial_no": serialOf(m.platCert),
			"effective_time": m.platCert.NotBefore.In(sim.Beijing).Format(rfc3339), "expire_time": m.platCert.NotAfter.In(sim.Beijing).
						Format(rfc3339),
			"encrypt_certificate": map[string]string{"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "certificate",
				"ciphertext": base64.StdEncoding.EncodeToString(cipher)}}}}, nil
	}}
}
