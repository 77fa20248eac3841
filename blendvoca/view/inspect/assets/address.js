// What is shown stands in the address, as #speaker&clip&seconds, so that a view can be linked; and poses can be taken out.

Object.assign(App.prototype, {
  address() {
    const parts = [this.speaker.name, this.clip ? this.clip.name : "", this.clip ? this.player.time.toFixed(2) : ""];
    while (parts.length > 1 && parts[parts.length - 1] === "") parts.pop();
    return `#${parts.map(encodeURIComponent).join("&")}`;
  },

  // Write the address, not more often than browsers allow.
  tellAddress() {
    clearTimeout(this.addressTimer);
    this.addressTimer = setTimeout(() => {
      if (!this.speaker || this.player.playing || location.hash === this.address()) return;
      history.replaceState(null, "", this.address());
    }, 250);
  },

  // Show what the address says; what it names and is not here is left as it is.
  async followAddress() {
    const [speaker, clip, time] = location.hash.slice(1).split("&").map((part) => {
      try { return decodeURIComponent(part); } catch { return ""; }
    });
    const index = Math.max(this.meta.speakers.findIndex((entry) => entry.name === speaker), 0);
    if (!this.speaker || index !== this.speakerIndex) await this.openSpeaker(index);
    const place = this.speaker.clips.findIndex((entry) => entry.name === clip);
    if (place >= 0 && place !== this.clipIndex) await this.openClip(place);
    const seconds = Number(time);
    if (place >= 0 && time && Number.isFinite(seconds)) this.seek(Math.min(Math.max(seconds, 0), this.clip.seconds));
  },

  pose() {
    return this.rig.names.map((name, k) => [name, Number(this.weights[0][k].toFixed(4))]);
  },

  say(text) { byId("said").textContent = text; },

  async copyPose() {
    const text = JSON.stringify(Object.fromEntries(this.pose().filter(([, value]) => value !== 0)), null, 1);
    try {
      await navigator.clipboard.writeText(text);
    } catch {  // pages from files may not write to the clipboard this way
      const area = element("textarea", text);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    this.flash("copy-pose", "Copied");
    return text;
  },

  savePose() {
    const pose = this.pose(), quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const text = `${pose.map(([name]) => quoted(name)).join(",")}\n${pose.map(([, value]) => value).join(",")}\n`;
    const link = element("a"), name = [this.speaker.name, this.clip && !this.free ? this.clip.name : "pose"].join("_");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `${name.replace(/[^\w.-]+/g, "_")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    this.flash("save-pose", "Saved");
    return text;
  },

  // A button says for a moment what it did.
  flash(id, text) {
    const button = byId(id), before = button.dataset.words || button.textContent;
    button.dataset.words = before;
    button.textContent = text;
    this.say(`${text}: ${this.pose().length} coefficients`);
    clearTimeout(this.flashTimer);
    this.flashTimer = setTimeout(() => { button.textContent = before; }, 1500);
  },
});
