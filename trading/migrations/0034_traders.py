"""Who dealt each trade: who captured its first version; what replaced another keeps its trader."""

from django.db import migrations, models

_FILL = """
UPDATE trading_trade SET trader = version.captured_by
FROM trading_tradeversion version
WHERE version.trade_id = trading_trade.id AND version.version = 1;
WITH RECURSIVE made (id, trader) AS (
    SELECT id, trader FROM trading_trade WHERE replaces_id IS NULL
    UNION ALL
    SELECT later.id, made.trader FROM trading_trade later JOIN made ON later.replaces_id = made.id
)
UPDATE trading_trade SET trader = made.trader
FROM made WHERE made.id = trading_trade.id AND trading_trade.replaces_id IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0033_withdrawn_quotes"),
    ]

    operations = [
        migrations.AddField(
            model_name="trade",
            name="trader",
            field=models.CharField(blank=True, default="", max_length=120),
            preserve_default=False,
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(fields=["organization", "trader"], name="trade_of_trader"),
        ),
    ]
