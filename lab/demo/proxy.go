package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"hospay/internal/idno"
	"hospay/refund"
)

// proxies are the relatives: one application is approved and leads to a refund
// to the agent, one is rejected and leads to none.
func (d *Day) proxies(ctx context.Context) error {
	good, err := d.proxy(ctx, "P0005", "P0008", refund.ProxyElderly, map[string]any{"decision": "approve"})
	if err != nil {
		return err
	}
	bad, err := d.proxy(ctx, "P0006", "P0007", refund.ProxyMinor, map[string]any{"decision": "reject", "note": "监护关系证明不清晰，请重新拍摄"})
	if err != nil {
		return err
	}
	for _, t := range []*Track{
		{Title: "子女为老人代办，退给代办人", Patient: "P0005", Want: "succeeded", Wish: Wish{
			Card: "C0008", Channel: "wechat", Method: "transfer", Amount: 5200, Changes: map[string]any{"proxy_application": good}}},
		{Title: "代办审核驳回，不受理", Patient: "P0006", Want: "proxy_not_approved", refused: true, Wish: Wish{
			Card: "C0007", Channel: "alipay", Method: "transfer", Amount: 1000, Changes: map[string]any{"proxy_application": bad}}},
	} {
		if err := d.run(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// proxy applies for a principal, hands every required photo in and lets the
// reviewer decide, if there is a decision. It returns the application's id.
func (d *Day) proxy(ctx context.Context, agent, principal string, c refund.ProxyCase, decision map[string]any) (string, error) {
	p, err := d.person(ctx, agent, "wechat")
	if err != nil {
		return "", err
	}
	var who struct {
		Name  string   `json:"name"`
		IDNo  string   `json:"id_no"`
		Cards []string `json:"cards"`
	}
	if err := get(ctx, fmt.Sprintf("%s/_sim/ticket?patient=%s&via=wechat", d.At.Portal, principal), &who); err != nil {
		return "", err
	}
	var made struct {
		ID string `json:"id"`
		No string `json:"no"`
	}
	relation := map[refund.ProxyCase]string{refund.ProxyMinor: "parent"}[c]
	if relation == "" {
		relation = "child"
	}
	err = d.API.Call(ctx, "POST", "/api/collections/proxy_applications/records", p.Token, map[string]any{
		"principal_name": who.Name, "principal_id_no": who.IDNo, "card_no": who.Cards[0], "case": c, "relation": relation, "consent_version": "1",
	}, &made)
	if err != nil {
		return "", fmt.Errorf("%s 代办 %s：%w", agent, principal, err)
	}
	papers := c.Required(idno.Resident)
	for i, kind := range papers {
		if err := d.API.Upload(ctx, p.Token, made.ID, string(kind), Photo(i)); err != nil {
			return "", fmt.Errorf("%s 上传 %s：%w", agent, kind, err)
		}
	}
	path := "/api/hospay/proxies/" + made.ID
	if err := d.API.Call(ctx, "POST", path+"/submit", p.Token, nil, nil); err != nil {
		return "", fmt.Errorf("%s 提交代办：%w", agent, err)
	}
	if decision == nil {
		return made.ID, nil
	}
	if err := d.API.SeePapers(ctx, d.reviewer, made.ID); err != nil {
		return "", fmt.Errorf("看代办材料：%w", err)
	}
	if err := d.API.Call(ctx, "POST", path+"/review", d.reviewer, decision, nil); err != nil {
		return "", fmt.Errorf("审核代办：%w", err)
	}
	d.say(fmt.Sprintf("   %s  %s 代办 %s，材料 %d 张，审核 %s", pad(made.No, 21), agent, principal, len(papers), decision["decision"]))
	return made.ID, nil
}

// SeePapers opens every paper of an application, as whoever approves it must.
func (a *API) SeePapers(ctx context.Context, token, application string) error {
	path := "/api/hospay/desk/proxies/" + application
	if err := a.Call(ctx, "POST", path+"/look", token, map[string]any{"reason": "审核代办申请"}, nil); err != nil {
		return err
	}
	var view struct {
		Materials []struct {
			ID   string `json:"id"`
			File string `json:"file"`
		} `json:"materials"`
	}
	if err := a.Call(ctx, "GET", path, token, nil, &view); err != nil {
		return err
	}
	var key struct {
		Token string `json:"token"`
	}
	if err := a.Call(ctx, "POST", "/api/files/token", token, nil, &key); err != nil {
		return err
	}
	for _, m := range view.Materials {
		if err := a.Call(ctx, "GET", "/api/files/proxy_materials/"+m.ID+"/"+m.File+"?token="+key.Token, "", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// Upload sends a photo of a proxy application.
func (a *API) Upload(ctx context.Context, token, application, kind string, photo []byte) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for k, v := range map[string]string{"application": application, "kind": kind} {
		if err := form.WriteField(k, v); err != nil {
			return err
		}
	}
	part, err := form.CreateFormFile("file", kind+".jpg")
	if err != nil {
		return err
	}
	if _, err := part.Write(photo); err != nil {
		return err
	}
	if err := form.Close(); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Base+"/api/collections/proxy_materials/records", &body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", token)
	res, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(res.Body)
		return &APIError{Status: res.StatusCode, Text: string(text)}
	}
	return nil
}
