//! Plots, as SVG.

use std::error::Error;
use std::path::Path;

use plotters::coord::combinators::{BindKeyPoints as _, IntoLogRange as _};
use plotters::prelude::*;

const WIDTH: u32 = 900;
const HEIGHT: u32 = 420;

/// A plot over a few places, such as numbers of connections. Its upright axis is logarithmic.
#[derive(Clone, Debug)]
pub struct Panel {
    pub title: String,
    /// What the places are.
    pub across: &'static str,
    pub places: Vec<String>,
    /// What the values are.
    pub upright: &'static str,
    pub series: Vec<Series>,
    /// Whether there is something between the places, so that lines may join them.
    pub is_joined: bool,
}

/// A line of a plot: a value for each place; what is not above zero is left out.
#[derive(Clone, Debug)]
pub struct Series {
    pub name: String,
    pub values: Vec<f64>,
}

impl Panel {
    /// With the database in its title.
    pub fn on(self, database: &str) -> Self {
        Self { title: format!("{}, {database}", self.title), ..self }
    }

    /// The least and the greatest value, with room around them.
    fn bounds(&self) -> (f64, f64) {
        let values = self.series.iter().flat_map(|series| &series.values).copied();
        let values: Vec<_> = values.filter(|value| *value > 0.0).collect();
        let least = values.iter().copied().reduce(f64::min).unwrap_or(1.0);
        let greatest = values.iter().copied().reduce(f64::max).unwrap_or(1.0);
        (least / 1.6, greatest * 1.6)
    }
}

/// Draws them, one below the other.
pub fn draw(path: &Path, panels: &[Panel]) -> Result<(), Box<dyn Error>> {
    let Ok(rows) = u32::try_from(panels.len().max(1)) else { return Ok(()) };
    let root = SVGBackend::new(path, (WIDTH, HEIGHT * rows)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, panel) in root.split_evenly((panels.len().max(1), 1)).iter().zip(panels) {
        draw_panel(area, panel)?;
    }
    root.present()?;
    Ok(())
}

fn draw_panel(area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>, panel: &Panel) -> Result<(), Box<dyn Error>> {
    let (least, greatest) = panel.bounds();
    // A quarter of the width is for the names of the lines.
    let right = (panel.places.len() as f64 - 0.5) / 0.75;
    let upright = (least..greatest).log_scale().with_key_points(round_figures(least, greatest));
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(-0.25..right, upright)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(panel.places.len() * 2 + 4)
        .x_label_formatter(&|at| label(&panel.places, *at))
        .x_desc(panel.across)
        .y_desc(panel.upright)
        .y_label_formatter(&|value| format!("{value}"))
        .draw()?;
    for (number, series) in panel.series.iter().enumerate() {
        let color = Palette99::pick(number).to_rgba();
        let points = series.values.iter().enumerate().filter(|(_, value)| **value > 0.0);
        let points: Vec<_> = points.map(|(place, value)| (place as f64, *value)).collect();
        let key = move |(x, y)| PathElement::new([(x, y), (x + 14, y)], color.stroke_width(2));
        let drawn = if panel.is_joined {
            chart.draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))?
        } else {
            chart.draw_series(points.into_iter().map(|point| Circle::new(point, 4, color.filled())))?
        };
        drawn.label(&series.name).legend(key);
    }
    let names = &mut chart.configure_series_labels();
    names
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}

/// 1, 2, 5, 10, 20, 50 and so on.
fn round_figures(least: f64, greatest: f64) -> Vec<f64> {
    let (low, high) = (least.log10().floor() as i32, greatest.log10().ceil() as i32);
    let figures = (low..=high).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
    figures.filter(|figure| (least..=greatest).contains(figure)).collect()
}

/// The place's name, and nothing between places.
fn label(places: &[String], at: f64) -> String {
    let nearest = at.round();
    let is_between = (at - nearest).abs() > 0.01 || nearest < 0.0;
    places.get(nearest as usize).filter(|_| !is_between).cloned().unwrap_or_default()
}
