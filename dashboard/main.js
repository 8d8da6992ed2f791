// hospay's overview page in PocketBase's dashboard. Everything stands inside
// try/catch: a dashboard of another release may know nothing of routes, links
// or the session, and must go on working all the same.
try {
  const setupPath = "#/hospay-setup";
  const host = typeof app === "undefined" ? undefined : app;
  if (typeof host?.routes?.superuserOnly === "function" && Array.isArray(host?.store?.headerLinks) && typeof host?.pb?.send === "function") {
    start(host);
  } else {
    console.warn("hospay: this dashboard takes no extension pages");
  }

  function start(host) {
    const path = "#/hospay";
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = new URL("extensions/hospay/overview.css", document.baseURI).href;
    document.head.appendChild(sheet);

    host.routes.superuserOnly(path, () => page(host));
    host.routes.superuserOnly(setupPath, () => setupPage(host));
    host.store.headerLinks.push({ href: path, icon: "ri-hospital-line", label: "hospay" });
  }

  const states = {
    submitted: "已提交", debiting: "HIS 扣减中", reviewing: "待审核", approved: "审核通过", paying: "退款中", awaiting_payee: "待确认收款", reversing: "余额退回中",
    suspense: "挂账", succeeded: "已到账", refused: "未受理", rejected: "审核驳回", cancelled: "已撤销", failed: "退款失败",
  };
  const jobNames = {
    notices: "发送通知", receipts: "收集电子回单", statements: "下载账单", reconcile: "三方对账", housekeeping: "清理过期数据", statistics: "核对统计", audit: "检查审计日志", exports: "导出报表",
    old_exports: "删除过期的导出", his_ping: "检查 HIS", certificates: "检查证书到期", refunds: "推进退款", proxies: "代办到期和照片清理", search_terms: "补建姓名电话索引",
    restored_copy: "恢复的副本逐笔查询", tallies: "汇总被拒的请求", guards: "核对触发器、权限、索引", logins: "汇总登录失败", seal_files: "加密旧文件", audit_trail: "审计日志外送", alarms: "报警", backup: "每晚备份",
  };
  const channels = { wechat: "微信", alipay: "支付宝" };

  /** make builds an element; every text is set as text, never as HTML. */
  function make(tag, attributes = {}, ...children) {
    const el = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes)) {
      if (k === "onclick") el.addEventListener("click", v);
      else if (v !== undefined && v !== false) el.setAttribute(k, v === true ? "" : v);
    }
    for (const c of children.flat()) if (c !== null && c !== undefined) el.append(c);
    return el;
  }

  const yuan = (fen) => "¥" + (fen / 100).toLocaleString("zh-CN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const when = (at) => (at ? new Date(String(at).replace(" ", "T")).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false }) : "—");
  const records = (collection, filter) => `#/collections?collection=${collection}` + (filter ? `&filter=${encodeURIComponent(filter)}` : "");

  function page(host) {
    const body = make("div", { class: "hospay-overview", lang: "zh-CN" });
    const root = make("div", { class: "page" }, body);
    let timer = 0;
    const load = async () => {
      try {
        const [o, setup] = await Promise.all(["overview", "setup"].map((what) => host.pb.send(`/api/hospay/${what}`, { requestKey: null })));
        body.replaceChildren(...show(host, o, setup, load));
      } catch (err) {
        body.replaceChildren(make("h1", {}, "hospay 概况"), make("p", { role: "alert", class: "bad" }, "概况读取失败：" + (err?.message || err)), make("button", { type: "button", class: "btn", onclick: load }, "再试一次"));
      }
    };
    body.append(make("h1", {}, "hospay 概况"), make("p", { role: "status" }, "正在读取…"));
    void load();
    timer = setInterval(() => {
      if (location.hash.split("?")[0] !== "#/hospay") clearInterval(timer);
      else void load();
    }, 15000);
    return root;
  }

  function show(host, o, setup, reload) {
    return [
      make("h1", {}, "hospay 概况"),
      make("p", { class: "quiet" }, `版本 ${o.version ?? "?"}，每 15 秒刷新`),
      setup.open ? make("p", { class: "tile" }, "首次安装还没有做完：", setup.steps.filter((s) => !s.done).map((s) => s.title).join("、"), make("a", { class: "btn", href: setupPath }, "打开安装向导")) : null,
      ...(o.institutions ?? []).map((i) => institution(i)),
      jobs(host, o.jobs ?? [], reload),
    ];
  }

  /** setupPage leads the first installation: the questions of hospay setup, one at a time. */
  function setupPage(host) {
    const body = make("div", { class: "hospay-overview hospay-setup", lang: "zh-CN" });
    const root = make("div", { class: "page" }, body);
    const steps = make("ol", {});
    const said = make("pre", { role: "log", "aria-label": "安装过程", tabindex: "0" });
    const wrong = make("p", { role: "alert", class: "bad" });
    const form = make("div", {});
    body.append(
      make("h1", {}, "首次安装"),
      make("p", { class: "quiet" }, "与服务器终端里的 hospay setup 是同一套问题。每一步都可以离开：做完的步骤都已保存，下次从没做完的一步继续。"),
      steps, said, wrong, form,
    );
    let shown = "";
    let last = { key: "", text: "" }; // what was sent, to be mended when it will not do
    const send = async (method, json) => {
      wrong.textContent = "";
      try {
        draw(await host.pb.send("/api/hospay/setup", { method, body: json, requestKey: null }), method);
      } catch (err) {
        wrong.textContent = "没有成功：" + (err?.message || err);
        form.querySelectorAll("button").forEach((b) => { b.disabled = false; });
      }
    };
    const draw = (state, method) => {
      steps.replaceChildren(...state.steps.map((s) => make("li", {}, s.title, make("span", { class: "quiet" }, s.done ? ` ✓ ${s.done}` : " 未做"))));
      said.hidden = !state.said;
      if (said.textContent !== state.said) {
        said.textContent = state.said;
        said.scrollTop = said.scrollHeight;
      }
      const q = state.question;
      if (state.under_way && !q) {
        shown = "";
        form.replaceChildren(make("p", { role: "status" }, "正在处理…"));
        if (location.hash.split("?")[0] === setupPath) setTimeout(() => void send("GET"), 500);
      } else if (q && (shown !== q.key + state.said || method === "POST")) {
        if (last.key !== q.key) last = { key: "", text: "" };
        shown = q.key + state.said;
        form.replaceChildren(ask(q, last.text, (answer) => {
          last = { key: q.key, text: q.secret || q.named ? "" : answer };
          void send("POST", { key: q.key, answer });
        }, () => void send("DELETE")));
        form.querySelector("input, textarea, select")?.focus();
      } else if (!state.under_way) {
        shown = "";
        form.replaceChildren(
          state.open ? make("button", { type: "button", class: "btn", onclick: () => void send("POST", {}) }, state.steps.some((s) => s.done) ? "继续安装" : "开始安装") : make("p", {}, "各步都已做完。检查里标 ✗ 的请处理，做法见手册《故障处理》。以后的改动由员工在控制台 系统配置 提出和确认。"),
          ...(state.said ? [make("p", {}, "初始密码和密钥抄好以后，请清除上面的显示。"), make("button", { type: "button", class: "btn", onclick: () => void send("DELETE") }, "清除")] : []),
        );
      }
    };
    void send("GET");
    return root;
  }

  const words = { y: "是", n: "否" };

  /** ask is the form of one question. */
  function ask(q, typed, answer, leave) {
    const known = q.default || "";
    let field;
    if (q.choices?.length) {
      field = make("select", { id: "answer" }, q.choices.map((c) => make("option", { value: c, selected: c === (typed || known) }, words[c] ?? c)));
    } else if (q.named) {
      field = make("input", { id: "answer", type: "file" });
    } else if (q.file) {
      field = make("textarea", { id: "answer", rows: 6, spellcheck: "false" });
      field.value = known;
    } else {
      field = make("input", { id: "answer", type: q.secret ? "password" : "text", autocomplete: "off", spellcheck: "false", placeholder: known });
    }
    if (typed && field.type !== "file") field.value = typed;
    if (q.help) field.setAttribute("aria-describedby", "answer-help");
    const picked = make("input", { type: "file", "aria-label": `${q.label}：选择文件` });
    picked.addEventListener("change", async () => { if (picked.files[0]) field.value = await picked.files[0].text(); });
    const form = make("form", { class: "ask" },
      make("label", { for: "answer" }, q.label, q.optional ? "（可以不填）" : ""),
      q.help ? make("p", { id: "answer-help", class: "help" }, q.help) : null,
      field, q.file && !q.named ? picked : null,
      known && !q.choices?.length && !q.file ? make("p", { class: "quiet" }, "不填就用默认的内容") : null,
      make("div", { class: "links" }, make("button", { class: "btn" }, "下一步"), make("button", { type: "button", class: "btn", onclick: leave }, "先离开")),
    );
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      form.querySelectorAll("button").forEach((b) => { b.disabled = true; });
      const file = q.named ? field.files[0] : undefined;
      answer(file ? `${file.name}\n${await file.text()}` : q.named ? "" : field.value.trim());
    });
    return form;
  }

  function institution(i) {
    const mine = `institution = "${i.id}"`;
    const orders = Object.entries(states).map(([s, name]) => [name, i.orders?.[s] ?? 0, s]).filter(([, n]) => n > 0);
    return make("section", { "aria-label": i.name },
      make("h2", {}, i.name, i.frozen ? make("strong", { class: "bad" }, " 出款已冻结") : null),
      make("div", { class: "tiles" },
        tile("今日出款", Object.entries(i.paid_today ?? {}).map(([c, p]) => `${channels[c] ?? c} ${yuan(p.amount)}（${p.count} 笔）`).join("，") || "无"),
        tile("最早未完成", i.oldest_open ? `${i.oldest_open.no}，${when(i.oldest_open.since)}` : "无"),
        tile("结果未知", String(i.unknown ?? 0), i.unknown > 0),
        tile("挂账", String(i.suspense ?? 0), i.suspense > 0),
        tile("HIS", i.his?.ok ? `正常（${Math.max(1, i.his.ms)} 毫秒，${when(i.his.checked_at)}）` : `异常：${i.his?.error || "还没有检查"}`, !i.his?.ok),
        ...Object.entries(i.broken ?? {}).map(([c, why]) => tile(`${channels[c] ?? c}`, `异常：${why}`, true)),
        ...Object.entries(i.limits ?? {}).filter(([, l]) => l.day_limit).map(([c, l]) => tile(`${channels[c] ?? c}当日额度`, `已用 ${yuan(l.used)}，共 ${yuan(l.day_limit)}`, l.used > l.day_limit * 0.8)),
      ),
      table("订单：未结束的全部，已结束的只算今天申请的", ["状态", "笔数"], orders.map(([name, n, s]) => [make("a", { href: records("refund_orders", `${mine} && status = "${s}"`) }, name), String(n)])),
      table("证书和密钥", ["渠道", "内容", "到期", "剩余"], (i.certificates ?? []).map((c) => [channels[c.channel] ?? c.channel, c.label || c.what, when(c.expires), make("span", { class: c.days <= 30 ? "bad" : "" }, `${c.days} 天`)])),
      make("p", { class: "links" }, ...[["refund_orders", "订单"], ["transfer_orders", "转账单"], ["his_calls", "HIS 往来"], ["callbacks", "回调"], ["notifications", "通知"], ["audit_log", "审计日志"]].map(([c, name]) => make("a", { href: records(c) }, name))),
    );
  }

  function tile(name, value, bad = false) {
    return make("div", { class: bad ? "tile bad" : "tile" }, make("span", {}, name), make("strong", {}, value));
  }

  function table(caption, head, rows) {
    if (rows.length === 0) return null;
    return make("table", {}, make("caption", {}, caption), make("thead", {}, make("tr", {}, head.map((h) => make("th", { scope: "col" }, h)))), make("tbody", {}, rows.map((r) => make("tr", {}, r.map((c) => make("td", {}, c))))));
  }

  function jobs(host, list, reload) {
    return make("section", { "aria-label": "任务" }, make("h2", {}, "任务"),
      table("任务运行", ["任务", "上次", "结果", "处理", "下次", ""], list.map((j) => [
        jobNames[j.name] ? `${jobNames[j.name]}（${j.name}）` : j.name, when(j.last_started), make("span", { class: j.ok === false ? "bad" : "" }, j.ok === false ? `失败：${j.error ?? ""}` : j.last_started ? "成功" : "—"), String(j.done ?? 0), when(j.next),
        make("button", {
          type: "button", class: "btn sm", "aria-label": `立即运行 ${j.name}`,
          onclick: async (e) => {
            const button = e.currentTarget;
            button.disabled = true;
            try {
              await host.pb.send(`/api/hospay/jobs/${encodeURIComponent(j.name)}/run`, { method: "POST", requestKey: null });
              await reload();
            } catch (err) {
              button.disabled = false;
              alert("没有运行成功：" + (err?.message || err));
            }
          },
        }, "立即运行"),
      ])));
  }
} catch (err) {
  console.warn("hospay: the overview page is off", err);
}
